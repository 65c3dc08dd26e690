//! The OCI distribution protocol: image references, a client for pushes and pulls without an engine, image
//! archives, and the small built-in registry.
//!
//! Mostly this speaks plain HTTP to an address on this machine: the way to the registry's host, and its secrecy, are
//! the tunnel's business. Registries that speak TLS or want a login are spoken to so, with a tunnel or without.

pub mod archive;
mod board;
mod client;
mod digest;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod media;
mod pack;
mod platform;
mod records;
mod reference;
mod replace;
pub mod sample;
mod server;

pub use archive::ArchiveError;
pub use client::{
    CertificateFlaw, Client, ClientConfig, CredentialSource, Credentials, Crossed, EngineImage, Manifest,
    OpenLayer, PullError, Scope, Sending, SpokenTls, StoredImage, StoredLayer, Survey, TlsFiles,
    choose_cryptography, remove_parts,
};
pub use digest::{Algorithm, Digest, InvalidDigest};
pub use error::{FileOperation, Operation, RegistryError};
pub use pack::Packing;
pub use platform::{InvalidPlatform, OneOfSeveral, Wanted};
pub use records::{Records, Turns};
pub use reference::{InvalidReference, Reference};
pub use replace::replace_file;
pub use server::{SHELF_IMAGE, SHELF_USER, Server, ServerError, ServerOptions, Shelf, ShelfLayers};
