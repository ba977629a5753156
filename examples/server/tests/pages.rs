//! The pages, as people use them.

#[allow(dead_code)] // each test uses some of it
mod support;

use support::server::Server;

#[test]
fn the_server_starts_and_stops() {
    let mut server = Server::start();
    assert!(server.url.starts_with("http://127.0.0.1:"));
    assert!(server.stop().success());
}
