//! From one registry to another: nothing is unpacked, nothing is written here, and only what is missing travels.
//!
//! A blob goes from the answer that brings it straight into the request that takes it. If either is lost, the registry
//! that receives says how much it has, and the other one is asked for the rest.

use super::{
    Client, Manifest,
    company::{Scope, Traveller},
    exchange::header,
    retry,
    upload::Begun,
};
use crate::{Digest, Operation, RegistryError, board::Board, digest::Hasher, media, reference};
use bytes::Bytes;
use dockline_model::{LayerState, LayerView};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use oci_spec::image::Descriptor;
use reqwest::{Method, StatusCode, Url};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

impl Client {
    /// Copies an image of this registry to `repository:tag` of another one, and asks that one afterwards what it has.
    /// Returns the digest it has there: this one's own, or that of the platform that was chosen.
    ///
    /// `progress` gets all blobs, the bytes so far and the bytes in all.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the copy, and what has arrived is not sent again.
    pub async fn copy_to(
        &self,
        (repository, reference): (&str, &str),
        target: &Self,
        (to, tag): (&str, &str),
        scope: &Scope,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        reference::check_repository(to)?;
        reference::check_tag(tag)?;
        let company = self.gather(repository, reference, scope).await?;
        let (layers, others): (Vec<&Descriptor>, Vec<&Descriptor>) =
            company.blobs.iter().partition(|blob| media::is_layer(blob.media_type().as_ref()));
        // Configurations are a few kilobytes, and no layers.
        let silent = |_: &[LayerView], _, _| ();
        tokio::try_join!(
            self.carry_all((repository, &layers), target, to, progress),
            self.carry_all((repository, &others), target, to, silent),
        )?;
        target.settle(&company.travellers, (to, tag)).await
    }

    /// Sees to it that `target` has these blobs: it has them already, takes them from the repository they are in, or gets
    /// them.
    async fn carry_all(
        &self,
        (repository, blobs): (&str, &[&Descriptor]),
        target: &Self,
        to: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<(), RegistryError> {
        let blobs: Vec<(Digest, u64)> = blobs
            .iter()
            .map(|blob| Ok((media::digest(blob)?, blob.size())))
            .collect::<Result<_, crate::InvalidDigest>>()
            .map_err(|error| self.protocol(error.to_string()))?;
        let board =
            Board::new(blobs.iter().map(|(digest, size)| (digest.short().to_owned(), *size)), progress);
        let is_same = self.config.address == target.config.address;
        let copies: Vec<_> = blobs
            .iter()
            .enumerate()
            .map(|(index, (digest, size))| {
                let board = &board;
                async move {
                    if target.blob_exists(to, digest).await? {
                        board.state(index, LayerState::Exists);
                        return Ok(());
                    }
                    if is_same && target.mount_blob(to, digest, repository).await? {
                        board.state(index, LayerState::Mounted { from: repository.to_owned() });
                        return Ok(());
                    }
                    self.carry(repository, target, to, (digest, *size), (index, board)).await
                }
            })
            .collect();
        stream::iter(copies).buffer_unordered(target.config.parallel.max(1)).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    /// Stores manifests whose blobs are there, the last of them under `tag`, and asks afterwards what that names.
    pub(super) async fn settle(
        &self,
        travellers: &[Traveller],
        (repository, tag): (&str, &str),
    ) -> Result<Digest, RegistryError> {
        let last = travellers.len().saturating_sub(1);
        let mut stored = None;
        for (number, traveller) in travellers.iter().enumerate() {
            let Manifest { media_type, digest, bytes } = &traveller.manifest;
            let name = match &traveller.tag {
                _ if number == last => tag.to_owned(),
                Some(own) => own.clone(),
                None => digest.to_string(),
            };
            let mut waits = retry::WAITS.into_iter();
            // Twice the same manifest is once.
            while let Err(error) = self.push_manifest(repository, &name, media_type, bytes.clone()).await {
                retry::wait_silently(error, &mut waits).await?;
            }
            if let Some((subject, descriptor)) = &traveller.subject {
                self.announce_referrers(repository, subject, std::slice::from_ref(descriptor)).await?;
            }
            stored = Some(digest.clone());
        }
        let stored = stored.ok_or_else(|| self.protocol("an image without a manifest"))?;
        let there = self.manifest_digest(repository, tag).await?;
        if there != stored {
            let what = super::manifest::image_name(repository, tag);
            return Err(RegistryError::DigestMismatch { what, expected: stored, actual: there });
        }
        Ok(stored)
    }

    /// Has the registry take a blob from another repository of its own (distribution-spec, "Mounting a blob from
    /// another repository"); says whether it did.
    pub(crate) async fn mount_blob(
        &self,
        repository: &str,
        digest: &Digest,
        from: &str,
    ) -> Result<bool, RegistryError> {
        match self.begin(repository, Some((digest, from))).await? {
            Begun::Mounted => Ok(true),
            Begun::Upload(upload) => {
                upload.abandon(self).await;
                Ok(false)
            }
        }
    }

    /// Carries one blob over, and goes on where it was when the way was lost.
    async fn carry<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        from: &str,
        target: &Self,
        to: &str,
        (digest, size): (&Digest, u64),
        (index, board): (usize, &Board<F>),
    ) -> Result<(), RegistryError> {
        let hashed = Arc::new(Mutex::new((Hasher::new(digest.algorithm()), 0)));
        let mut upload: Option<Url> = None;
        let mut waits = retry::WAITS.into_iter();
        let (mut is_gone_on_with, mut may_begin_anew) = (false, true);
        loop {
            let once = async {
                // It is kept meanwhile: should this question be lost as well, the next attempt asks it again.
                let (url, offset) = match upload.clone() {
                    Some(url) => target.upload_offset(url).await?,
                    None => None,
                }
                .map_or((None, 0), |(url, offset)| (Some(url), offset));
                let url = match url {
                    Some(url) => url,
                    None => target.begin_upload(to).await?,
                };
                upload = Some(url.clone());
                is_gone_on_with = offset > 0;
                board.advance(index, offset);
                let next = if offset < size {
                    let advance = |bytes| board.advance(index, offset + bytes);
                    self.pour((from, digest, size), offset, (target, to, &url), &hashed, advance).await?
                } else {
                    url
                };
                let actual = lock(&hashed).0.clone().finish();
                if actual != *digest {
                    target.abandon_upload(next).await;
                    return Err(RegistryError::DigestMismatch {
                        what: format!("the layer {}", digest.short()),
                        expected: digest.clone(),
                        actual,
                    });
                }
                target.finish_upload(to, next, digest).await
            };
            match once.await {
                Ok(()) => {
                    board.state(index, LayerState::Done);
                    return Ok(());
                }
                // It does not take the rest of what it has a part of; in one request it may take all.
                Err(error) if is_gone_on_with && is_refusal(&error) && may_begin_anew => {
                    tracing::info!(%error, "a layer that broke off begins again");
                    may_begin_anew = false;
                    if let Some(upload) = upload.take() {
                        target.abandon_upload(upload).await;
                    }
                }
                Err(error) => retry::wait_or_give_up(error, &mut waits, index, board).await?,
            }
        }
    }

    /// Sends what is left of a blob from `offset` on, as it arrives; where to go on.
    async fn pour(
        &self,
        (from, digest, size): (&str, &Digest, u64),
        offset: u64,
        (target, to, upload): (&Self, &str, &Url),
        hashed: &Arc<Mutex<(Hasher, u64)>>,
        mut advance: impl FnMut(u64) + Send,
    ) -> Result<Url, RegistryError> {
        let operation = Operation::WriteBlob;
        let (source, skip) = self.open_blob_at(from, digest, offset).await?;
        let (count, mut counted) = watch::channel(0_u64);
        let lost = Arc::new(Mutex::new(None));
        let (report, hasher) = (lost.clone(), hashed.clone());
        let (fetched, sent) = (self.crossed.clone(), target.crossed.clone());
        let mut at = offset - skip;
        let body = source.bytes_stream().map(move |piece| {
            let mut piece: Bytes = piece.map_err(|error| {
                // reqwest would wrap it up as a failure of the other registry.
                let text = io::Error::other(error.to_string());
                *lock(&report) = Some(error);
                text
            })?;
            fetched.received(piece.len());
            let begin = at;
            at += piece.len() as u64;
            {
                let (hasher, known) = &mut *lock(&hasher);
                if at > *known {
                    let fresh = usize::try_from(known.saturating_sub(begin)).unwrap_or(usize::MAX);
                    hasher.update(piece.get(fresh..).unwrap_or_default());
                    *known = at;
                }
            }
            // A registry that does not know ranges sends it all again.
            if begin < offset {
                let old = usize::try_from(offset - begin).unwrap_or(usize::MAX).min(piece.len());
                piece = piece.slice(old..);
            }
            sent.sent(piece.len());
            count.send_modify(|count| *count += piece.len() as u64);
            Ok::<_, io::Error>(piece)
        });
        let mut request = target
            .request(Method::PATCH, upload.clone())
            .header("content-type", "application/octet-stream")
            .header("content-length", size - offset);
        if offset > 0 {
            request = request.header("content-range", format!("{offset}-{}", size - 1));
        }
        let mut answer = std::pin::pin!(target.start(request.body(reqwest::Body::wrap_stream(body))));
        let mut is_moving = true;
        let response = loop {
            let patience = target.patience(*counted.borrow());
            tokio::select! {
                response = &mut answer => break response,
                more = counted.changed(), if is_moving => {
                    is_moving = more.is_ok();
                    advance(*counted.borrow_and_update());
                }
                () = tokio::time::sleep(patience) => {
                    return Err(RegistryError::TimedOut { operation, idle: patience });
                }
            }
        };
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                let lost = lock(&lost).take();
                return Err(match lost {
                    Some(source) => self.unreachable(source),
                    None => target.why_lost(to, target.unreachable(error)).await,
                });
            }
        };
        if !matches!(response.status(), StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Err(target.failure(operation, &format!("repository {to}"), response).await);
        }
        Ok(target.next_location(upload, &response).unwrap_or_else(|| upload.clone()))
    }

    /// Where an upload goes on, and how much of it the registry has; `None` if it knows it no more.
    async fn upload_offset(&self, upload: Url) -> Result<Option<(Url, u64)>, RegistryError> {
        let response = self.send(Operation::WriteBlob, self.get(upload.clone())).await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        // "0-99" for a hundred bytes; for none distribution says "0-0", as for one.
        let last = header(&response, "range").and_then(|range| range.rsplit_once('-')?.1.parse::<u64>().ok());
        let offset = last.filter(|last| *last > 0).map_or(0, |last| last + 1);
        if offset == 0 {
            return Ok(None);
        }
        Ok(Some((self.next_location(&upload, &response).unwrap_or(upload), offset)))
    }

    async fn finish_upload(&self, to: &str, mut upload: Url, digest: &Digest) -> Result<(), RegistryError> {
        let operation = Operation::WriteBlob;
        upload.query_pairs_mut().append_pair("digest", &digest.to_string());
        let request = self.request(Method::PUT, upload).header("content-length", 0);
        let response = self.send(operation, request).await?;
        if matches!(response.status(), StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Ok(());
        }
        Err(self.failure(operation, &format!("repository {to}"), response).await)
    }
}

/// Whether it says that the registry will not, whatever is done with the connection.
fn is_refusal(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Failed { .. } | RegistryError::NotFound { .. } | RegistryError::Denied { .. }
    ) && !retry::may_pass(error)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
