//! What an engine is told with a transfer, so that the registry lets it in.

use bollard::auth::DockerCredentials;

/// Name and password for the registry, which an engine is told with each transfer (`X-Registry-Auth`).
#[derive(Clone)]
pub struct Login {
    /// The name; `<token>` for an identity token.
    pub user: String,
    /// The password or token.
    pub secret: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Login {
    pub(crate) fn at(&self, repository: &str) -> DockerCredentials {
        let server = repository.split('/').next().unwrap_or_default().to_owned();
        let empty = DockerCredentials { serveraddress: Some(server), ..DockerCredentials::default() };
        match self.user.as_str() {
            "<token>" => DockerCredentials { identitytoken: Some(self.secret.clone()), ..empty },
            user => DockerCredentials {
                username: Some(user.to_owned()),
                password: Some(self.secret.clone()),
                ..empty
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_the_host_of_the_image() {
        let login = Login { user: "me".to_owned(), secret: "secret".to_owned() };
        for (repository, server) in
            [("cr.boss.org:5000/team/app", "cr.boss.org:5000"), ("127.77.1.2:5000/app", "127.77.1.2:5000")]
        {
            let told = login.at(repository);
            assert_eq!(told.serveraddress.as_deref(), Some(server));
            assert_eq!((told.username.as_deref(), told.password.as_deref()), (Some("me"), Some("secret")));
        }
        let token = Login { user: "<token>".to_owned(), ..login }.at("cr.boss.org/app");
        assert_eq!((token.username, token.identitytoken.as_deref()), (None, Some("secret")));
        assert!(!format!("{:?}", Login { user: "me".into(), secret: "secret".into() }).contains("secret"));
    }
}
