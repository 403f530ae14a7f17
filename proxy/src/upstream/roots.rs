//! Root certificates for machines that have none.
//!
//! Pingora's TLS connector panics at start-up without system roots, even when no upstream uses TLS.

use std::path::{Path, PathBuf};

/// Where Linux distributions keep their bundle.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// The file Pingora must be given, or `None` where it finds the system's own: Mozilla's roots, written into
/// the data directory.
///
/// # Errors
/// When the file cannot be written.
pub fn ca_file(data_dir: &Path) -> std::io::Result<Option<String>> {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .filter_map(std::env::var_os)
        .map(PathBuf::from);
    if named
        .chain(SYSTEM_BUNDLES.iter().map(PathBuf::from))
        .any(|path| path.exists())
    {
        return Ok(None);
    }
    let path = data_dir.join("roots.pem");
    std::fs::write(&path, bundle())?;
    tracing::info!("this machine has no root certificates; Mozilla's are used");
    Ok(Some(path.to_string_lossy().into_owned()))
}

fn bundle() -> String {
    use base64::Engine;
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = base64::engine::general_purpose::STANDARD.encode(certificate.as_ref());
        for line in encoded.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundle_holds_every_root_in_pem() {
        let bundle = super::bundle();
        let count = bundle.matches("-----BEGIN CERTIFICATE-----\n").count();
        assert_eq!(count, webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(count > 100);
        assert!(bundle.lines().all(|line| line.len() <= 64));
    }
}
