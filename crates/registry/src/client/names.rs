//! Lists of names by the page: repositories and tags.

pub(super) mod link;

use super::Client;
use crate::{Operation, RegistryError, reference};
use dockline_model::NamePage;
use reqwest::StatusCode;
use serde::Deserialize;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A page unless it is asked for otherwise: what a window shows at once, and a tunnel carries in no time.
const PAGE: u32 = 200;
/// Pages while everything is read.
const LARGE_PAGE: u32 = 1000;
/// A list of 100,000 tags of the greatest length has 13 MiB.
pub(super) const LONGEST_LIST: usize = 16 << 20;
/// How long a list that came in one piece is cut into pages from memory.
const KEPT: Duration = Duration::from_secs(60);

/// A list that a registry sent whole although it was asked for a page (registry 2.8 does so with tags).
#[derive(Debug, Clone, Default)]
pub(super) struct WholeList(Arc<Mutex<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    path: String,
    names: Vec<String>,
    since: Instant,
}

impl WholeList {
    fn keep(&self, path: &str, names: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Kept { path: path.to_owned(), names, since: Instant::now() });
    }

    /// What follows `last`, if the list is there and not too old.
    fn after(&self, path: &str, last: &str) -> Option<Vec<String>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| kept.path == path && kept.since.elapsed() < KEPT)?;
        let at = kept.names.iter().position(|name| name == last)?;
        Some(kept.names[at + 1..].to_vec())
    }
}

#[derive(Deserialize)]
struct Names {
    // `null` for a repository whose last tag is gone (registry 2.8).
    #[serde(default, alias = "repositories")]
    tags: Option<Vec<String>>,
}

impl Client {
    /// A page of the registry's repositories (`/v2/_catalog`: distribution's, not in the OCI specification), from the
    /// beginning or from where [`NamePage::next`] says. A registry may cut pages shorter than `limit`.
    ///
    /// # Errors
    /// [`RegistryError::NoCatalogue`] where it keeps none, or shows it to nobody.
    pub async fn repositories(
        &self,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<NamePage, RegistryError> {
        let listed = self.names("/v2/_catalog", "catalogue", after, limit).await;
        if let Err(
            RegistryError::NotFound { details, .. }
            | RegistryError::Denied { details, .. }
            | RegistryError::Failed { details, status: 400 | 404..=406 | 501, .. },
        ) = listed
        {
            return Err(RegistryError::NoCatalogue { details });
        }
        listed
    }

    /// A page of a repository's tags.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is no such repository.
    pub async fn tag_page(
        &self,
        repository: &str,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<NamePage, RegistryError> {
        reference::check_repository(repository)?;
        let what = format!("repository {repository}");
        self.names(&format!("/v2/{repository}/tags/list"), &what, after, limit).await
    }

    /// `after` is the query of the next page: what the registry's `Link` said, or made here in the same form.
    async fn names(
        &self,
        path: &str,
        what: &str,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<NamePage, RegistryError> {
        let limit = limit.unwrap_or(PAGE).clamp(1, 10_000);
        let last = after.and_then(last_of);
        if let Some(names) = last.as_deref().and_then(|last| self.whole.after(path, last)) {
            return Ok(cut(names, limit));
        }
        let mut url = self.url(path);
        match after {
            Some(query) => url.set_query(Some(query)),
            None => url.set_query(Some(&format!("n={limit}"))),
        }
        let operation = Operation::List;
        let response = self.send(operation, self.get(url.clone())).await?;
        if response.status() != StatusCode::OK {
            return Err(self.failure(operation, what, response).await);
        }
        let next = link::next(response.headers())
            .and_then(|target| url.join(&target).ok())
            .and_then(|target| target.query().map(str::to_owned))
            .filter(|next| Some(next.as_str()) != url.query());
        let bytes = self.body(operation, response, LONGEST_LIST).await?;
        let names: Names = serde_json::from_slice(&bytes)
            .map_err(|error| self.protocol(format!("its list does not read: {error}")))?;
        let mut names = names.tags.unwrap_or_default();
        if next.is_some() {
            return Ok(NamePage { names, next });
        }
        // Whoever does not cut lists sends all of it again, whatever was asked for; and registry 2.8 in no order, though the
        // distribution-spec wants it lexical.
        let is_known = last.as_ref().is_some_and(|last| names.contains(last));
        if after.is_none() || is_known || names.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            names.sort_unstable();
        }
        if names.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            self.whole.keep(path, names.clone());
        }
        if let Some(at) = last.and_then(|last| names.iter().position(|name| *name == last)) {
            names.drain(..=at);
        }
        Ok(cut(names, limit))
    }

    /// Every name there is, page after page.
    pub(super) async fn all(&self, repository: Option<&str>) -> Result<Vec<String>, RegistryError> {
        let what = repository.map_or_else(|| "catalogue".to_owned(), |name| format!("repository {name}"));
        // As the first page is asked for: a list may lead back to it.
        let first = format!("n={LARGE_PAGE}");
        let (mut all, mut after, mut read) = (Vec::new(), None::<String>, HashSet::new());
        while self.is_unread(&mut read, after.as_deref().unwrap_or(&first), &what)? {
            let page = match repository {
                Some(repository) => self.tag_page(repository, after.as_deref(), Some(LARGE_PAGE)).await?,
                None => self.repositories(after.as_deref(), Some(LARGE_PAGE)).await?,
            };
            all.extend(page.names);
            // A page may be empty and another follow: registries filter what a login may see.
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        Ok(all)
    }
}

/// The first `limit` names, and where to go on after them.
fn cut(mut names: Vec<String>, limit: u32) -> NamePage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if names.len() <= limit {
        return NamePage { names, next: None };
    }
    names.truncate(limit);
    let next = names.last().map(|last| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("n", &limit.to_string())
            .append_pair("last", last)
            .finish()
    });
    NamePage { names, next }
}

/// The name after which a page begins.
fn last_of(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == "last")
        .map(|(_, last)| last.into_owned())
}
