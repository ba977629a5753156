//! The client that customers of such services use, from npm, with nothing changed but its address.

mod support;

use std::path::Path;
use std::process::Command;

use support::server::{PROJECT_ID, SECRET, Server};

#[test]
#[ignore = "needs Node.js with npm, and oathtool: .ci/server.sh runs it"]
fn the_client_of_hosted_services_moves_over() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stytch");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stytch");
    std::fs::create_dir_all(&directory).unwrap();
    for file in ["package.json", "client.js"] {
        std::fs::copy(source.join(file), directory.join(file)).unwrap();
    }
    let options = ["install", "--no-audit", "--no-fund", "--prefer-offline"];
    run(Command::new("npm").args(options).current_dir(&directory));
    let server = Server::start();
    let mut client = Command::new("node");
    client
        .arg("client.js")
        .current_dir(&directory)
        .env("KEYFOB_URL", &server.url)
        .env("KEYFOB_PROJECT_ID", PROJECT_ID)
        .env("KEYFOB_SECRET", SECRET);
    run(&mut client);
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{failed}");
}
