//! TLS to a database, by rustls. Its certificate is always checked, and so is the host's name in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use crate::error::Unavailable;

const WHAT: &str = "reading the certificates that databases are checked against";

/// Whom to trust: the authorities in a file, or those of the system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorities(pub(crate) Option<PathBuf>);

impl Authorities {
    /// The file as it is, if one is named.
    pub(super) fn pem(&self) -> Result<Option<Vec<u8>>, Unavailable> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|error| Unavailable::with_file(WHAT, path, error))
        };
        self.0.as_ref().map(read).transpose()
    }

    /// A file of authorities that nothing is checked against is a mistake.
    pub(super) fn require_none(&self, what_asks: &str) -> Result<(), Unavailable> {
        if self.0.is_none() {
            return Ok(());
        }
        let cause =
            format!("--database-ca is given, and the URL asks for no TLS: {what_asks} does");
        Err(Unavailable::new(WHAT, cause))
    }

    fn roots(&self) -> Result<RootCertStore, Unavailable> {
        let mut roots = RootCertStore::empty();
        let count = if let Some(path) = &self.0 {
            add_file(&mut roots, path)?
        } else {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs).0
        };
        if count == 0 {
            let cause = "there is none: name a file of them by --database-ca";
            return Err(Unavailable::new(WHAT, cause));
        }
        Ok(roots)
    }

    /// What connects to PostgreSQL.
    pub(super) fn connector(&self) -> Result<Connector, Unavailable> {
        let mut config = ClientConfig::builder()
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Connector(Arc::new(config).into()))
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<usize, Unavailable> {
    let failed = |error: String| Unavailable::with_file(WHAT, path, error);
    let certificates = CertificateDer::pem_file_iter(path);
    for certificate in certificates.map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| failed(error.to_string()))?;
    }
    Ok(roots.len())
}

/// [`TlsConnector`] as tokio-postgres asks for it.
#[derive(Clone)]
pub(super) struct Connector(TlsConnector);

/// A connection that is about to be made to a host.
pub(super) struct Connect {
    connector: TlsConnector,
    host: ServerName<'static>,
}

/// A stream, encrypted.
pub(super) struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Connect;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, InvalidDnsNameError> {
        Ok(Connect {
            connector: self.0.clone(),
            host: ServerName::try_from(host.to_owned())?,
        })
    }
}

impl TlsConnect<Socket> for Connect {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let connecting = self.connector.connect(self.host, socket);
        Box::pin(async { connecting.await.map(Stream) })
    }
}

impl TlsStream for Stream {
    /// SCRAM's own check of the channel isn't made: the certificate and the name are checked.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
