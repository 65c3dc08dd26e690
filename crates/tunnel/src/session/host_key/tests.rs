//! Which types are asked for, and what a certificate has to be.

use super::*;
use crate::{SshEnvironment, error::CertificateFault, host_options, known_hosts::format_line};
use russh::keys::{
    Certificate, PrivateKey,
    ssh_key::certificate::{Builder, CertType},
};
use std::{path::PathBuf, time::Duration};

fn key() -> PrivateKey {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
}

/// A verifier for `a.org` with one known_hosts file.
async fn verifier(folder: &tempfile::TempDir, known_hosts: &str) -> Verifier {
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, known_hosts).unwrap();
    let ssh = SshEnvironment { known_hosts: vec![file], ..SshEnvironment::default() };
    let options = host_options::resolve(&"bob@a.org".parse().unwrap(), &ssh).await.unwrap();
    Verifier::new(&options, Vec::new(), Arc::default()).unwrap()
}

fn written(marker: &str, hosts: &str, key: &PrivateKey) -> String {
    let line = format_line(hosts, &Key::of(key.public_key().key_data()).unwrap(), None);
    format!("{marker}{line}\n")
}

/// Valid from 1000 to 2000 for `a.org`, unless `change` makes it otherwise.
fn certificate(host: &PrivateKey, authority: &PrivateKey, change: impl FnOnce(&mut Builder)) -> Certificate {
    certificate_for(CertType::Host, host, authority, change)
}

fn certificate_for(
    purpose: CertType,
    host: &PrivateKey,
    authority: &PrivateKey,
    change: impl FnOnce(&mut Builder),
) -> Certificate {
    let mut builder = Builder::new(vec![1; 16], host.public_key(), 1000, 2000).unwrap();
    builder.cert_type(purpose).unwrap();
    change(&mut builder);
    builder.sign(authority).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[tokio::test]
async fn known_types_are_asked_for_first_and_certificates_where_an_authority_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let plain = verifier(&folder, "").await.algorithms();
    assert_eq!((plain.keys, plain.certificates), (ALGORITHMS.to_vec(), Vec::new()));

    let rsa = "a.org ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDUPfqZiSMkXOTVUmXQXtRFmpjPUrSJWjVIJOXKmJjAiVTCPqSPV8ErOGKJ";
    assert!(
        verifier(&folder, rsa).await.algorithms().keys[0] == Algorithm::Ed25519,
        "a cut line says nothing"
    );

    let ecdsa =
        PrivateKey::random(&mut rand::rng(), Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 }).unwrap();
    let known = verifier(&folder, &written("", "a.org", &ecdsa)).await.algorithms();
    assert_eq!(known.keys[0], Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 });
    assert_eq!(known.keys.len(), ALGORITHMS.len());

    let authority = verifier(&folder, &written("@cert-authority ", "*.org", &key())).await.algorithms();
    assert_eq!(authority.certificates, ALGORITHMS);
    let revoked = format!("{}{}", written("", "a.org", &ecdsa), written("@revoked ", "*", &key()));
    let revoked = verifier(&folder, &revoked).await.algorithms();
    assert_eq!(revoked.certificates, [Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 }]);
}

#[tokio::test]
async fn a_certificate_is_for_a_time_a_name_and_a_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let (host, authority, stranger) = (key(), key(), key());
    let mut verifier = verifier(&folder, &written("@cert-authority ", "a.org", &authority)).await;
    let mut verdict = |certificate: Certificate, now| {
        verifier.verify(&PublicKeyOrCertificate::Certificate(certificate), at(now))
    };
    let named = |builder: &mut Builder| {
        builder.valid_principal("b.org").unwrap().valid_principal("a.org").unwrap();
    };
    verdict(certificate(&host, &authority, named), 1000).unwrap();
    verdict(certificate(&host, &authority, named), 1999).unwrap();

    let mut fault = |certificate: Certificate, now| match verdict(certificate, now) {
        Err(TunnelError::HostCertificate { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(certificate(&host, &authority, named), 999), CertificateFault::NotYetValid);
    assert_eq!(fault(certificate(&host, &authority, named), 2000), CertificateFault::Expired);
    let other_name = certificate(&host, &authority, |builder| {
        builder.valid_principal("*.org").unwrap();
    });
    assert!(
        matches!(fault(other_name, 1500), CertificateFault::OtherNames { wanted, .. } if wanted == "a.org")
    );
    let of_a_user = certificate_for(CertType::User, &host, &authority, named);
    assert_eq!(fault(of_a_user, 1500), CertificateFault::NotForHosts);
    let critical = certificate(&host, &authority, |builder| {
        named(builder);
        builder.critical_option("verify-required", "").unwrap();
    });
    assert_eq!(fault(critical, 1500), CertificateFault::CriticalOptions("verify-required".to_owned()));

    // Of an authority that is not known, the certificate says nothing, and its key is a new one.
    let strange = certificate(&host, &stranger, named);
    assert!(matches!(verdict(strange, 1500), Err(TunnelError::HostKeyUnknown { .. })));
}

#[tokio::test]
async fn a_forged_signature_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (host, authority) = (key(), key());
    let mut verifier = verifier(&folder, &written("@cert-authority ", "a.org", &authority)).await;
    let mut bytes = certificate(&host, &authority, |builder| {
        builder.valid_principal("a.org").unwrap();
    })
    .to_bytes()
    .unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let forged = Certificate::from_bytes(&bytes).unwrap();
    assert!(matches!(
        verifier.verify(&PublicKeyOrCertificate::Certificate(forged), at(1500)),
        Err(TunnelError::HostCertificate { fault: CertificateFault::Signature, .. })
    ));
}

#[tokio::test]
async fn a_list_of_revoked_keys_that_cannot_be_read_refuses_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = verifier(&folder, "").await.options;
    let file = folder.path().join("revoked");
    options.revoked_host_keys = Some(file.clone());
    let new = |options: &HostOptions| Verifier::new(options, Vec::new(), Arc::default()).map(|_| ());
    assert!(matches!(new(&options), Err(TunnelError::RevokedHostKeys { .. })));
    std::fs::write(&file, b"SSHKRL\n\0\0").unwrap();
    assert!(matches!(new(&options), Err(TunnelError::RevokedHostKeysInvalid { .. })));
    std::fs::write(&file, "# none yet\n").unwrap();
    new(&options).unwrap();
    options.revoked_host_keys = Some(PathBuf::from("/dev/null"));
    new(&options).unwrap();
}
