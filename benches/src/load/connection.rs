//! One keep-alive connection at a time, opened when it is needed.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Error, Result};

use super::{
    Expectation,
    response::{Response, ResponseParser},
};

/// Bytes read at once: most answers arrive in one read.
const READ_BYTES: usize = 32 * 1024;

/// Sends a request and reads the answer. The load loops know only this, so that tests drive them on virtual time.
pub(super) trait Exchange: Send + 'static {
    /// Returns the length of the body of a good answer.
    fn exchange(&mut self, request: &[u8]) -> impl Future<Output = Result<u64>> + Send;

    /// Gives up an exchange whose future was dropped: its answer must not be taken for the next one's.
    fn abandon(&mut self);
}

/// An HTTP/1.1 client that keeps its connection between requests.
pub(super) struct Client {
    address: SocketAddr,
    expectations: Arc<[Expectation]>,
    connection: Option<Connection>,
    buffer: Box<[u8]>,
}

struct Connection {
    stream: TcpStream,
    parser: ResponseParser,
}

impl Client {
    pub(super) fn new(address: SocketAddr, expectations: Arc<[Expectation]>) -> Self {
        Self {
            address,
            expectations,
            connection: None,
            buffer: vec![0; READ_BYTES].into(),
        }
    }

    async fn attempt(&mut self, request: &[u8]) -> Result<Response> {
        // Taken out, and put back only after a complete response: a broken connection is never used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address, Arc::clone(&self.expectations)).await?,
        };
        let response = connection.exchange(request, &mut self.buffer).await?;
        if response.reusable {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

impl Exchange for Client {
    async fn exchange(&mut self, request: &[u8]) -> Result<u64> {
        let reused = self.connection.is_some();
        let response = match self.attempt(request).await {
            // The server may close an idle connection at the very moment it is reused; that is no error of the server.
            Err(error) if reused && closed_while_idle(&error) => self.attempt(request).await?,
            outcome => outcome?,
        };
        response.verdict.map(|()| response.body_bytes)
    }

    fn abandon(&mut self) {
        self.connection = None;
    }
}

impl Connection {
    async fn open(address: SocketAddr, expectations: Arc<[Expectation]>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            parser: ResponseParser::new(expectations),
        })
    }

    async fn exchange(&mut self, request: &[u8], buffer: &mut [u8]) -> Result<Response> {
        self.stream.write_all(request).await?;
        loop {
            let length = match self.stream.read(buffer).await {
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
                length => length?,
            };
            if length == 0 {
                return self.parser.close();
            }
            if let Some(response) = self.parser.read(buffer.get(..length).unwrap_or_default())? {
                return Ok(response);
            }
        }
    }
}

fn closed_while_idle(error: &Error) -> bool {
    match error {
        Error::Closed { begun } => !begun,
        Error::Connection(error) => {
            matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    /// Serves one connection after the other; each answers its script and is closed.
    async fn serve(listener: TcpListener, script: Vec<Vec<&'static [u8]>>) -> io::Result<()> {
        for answers in script {
            let (mut stream, _) = listener.accept().await?;
            for answer in answers {
                let mut request = [0; 1024];
                if stream.read(&mut request).await? == 0 {
                    break;
                }
                stream.write_all(answer).await?;
            }
        }
        Ok(())
    }

    async fn client(script: Vec<Vec<&'static [u8]>>) -> io::Result<Client> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(serve(listener, script));
        Ok(Client::new(address, [].into()))
    }

    #[tokio::test]
    async fn a_connection_closed_between_requests_is_opened_anew() -> anyhow::Result<()> {
        let mut client = client(vec![vec![ANSWER], vec![ANSWER, ANSWER]]).await?;
        for _ in 0..3 {
            assert_eq!(client.exchange(b"GET / HTTP/1.1\r\n\r\n").await?, 2);
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_connection_closed_inside_an_answer_is_an_error() -> anyhow::Result<()> {
        let mut client = client(vec![
            vec![ANSWER, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"],
            vec![ANSWER],
        ])
        .await?;
        assert_eq!(client.exchange(b"GET / HTTP/1.1\r\n\r\n").await?, 2);
        let broken = client.exchange(b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(
            matches!(broken, Err(Error::Closed { begun: true })),
            "{broken:?}"
        );
        assert_eq!(client.exchange(b"GET / HTTP/1.1\r\n\r\n").await?, 2);
        Ok(())
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_an_error() -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        drop(listener);
        let refused = Client::new(address, [].into())
            .exchange(b"GET / HTTP/1.1\r\n\r\n")
            .await;
        assert!(matches!(refused, Err(Error::Connection(_))), "{refused:?}");
        Ok(())
    }
}
