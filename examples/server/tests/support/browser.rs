//! A real browser, headless, used as a person would: by what is to be read on the page.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::cookies::Cookie;
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest that a page may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// A window of Chromium, with a profile of its own.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    downloads: PathBuf,
}

/// Opens a browser, does all that is to be done in it, and closes it, also when that fails.
pub(crate) async fn browse<F>(scripts: Scripts, visit: impl FnOnce(Browser) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let driver = Driver::start();
    let directory = tempfile::tempdir().expect("a directory for the browser");
    let browser = Browser::open_with(&driver, &directory, scripts).await;
    let visited = tokio::spawn(visit(browser.clone())).await;
    let closed = browser.client.close().await;
    if let Err(error) = visited {
        std::panic::resume_unwind(error.into_panic());
    }
    closed.expect("the browser closes");
}

impl Browser {
    async fn open_with(driver: &Driver, directory: &TempDir, scripts: Scripts) -> Self {
        let downloads = directory.path().join("downloads");
        let profile = directory.path().join("profile");
        let arguments = [
            "--headless".into(),
            "--no-sandbox".into(), // root has none
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--disable-dev-shm-usage".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--window-size=1280,1000".into(),
            format!("--user-data-dir={}", profile.display()),
        ];
        // 1 allows, 2 blocks.
        let scripts = if scripts == Scripts::On { 1 } else { 2 };
        let preferences = json!({
            "download.default_directory": downloads,
            "profile.managed_default_content_settings.javascript": scripts,
        });
        let options = json!({ "args": arguments, "prefs": preferences });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .expect("Chromium starts: install the packages chromium and chromium-driver");
        Self { client, downloads }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// The address of the page, from its path on.
    pub(crate) async fn path(&self) -> String {
        self.client
            .current_url()
            .await
            .expect("an address")
            .path()
            .to_owned()
    }

    /// Waits for the page that has this heading.
    pub(crate) async fn expect(&self, heading: &str) {
        let path = format!("//h1[normalize-space()={heading:?}]");
        if self.find(&path).await.is_none() {
            self.miss(heading).await;
        }
    }

    async fn miss(&self, what: &str) -> ! {
        panic!("no {what:?}, but {}", self.text("body").await);
    }

    /// Waits for the page that says this, above all else, and tells the whole of it.
    pub(crate) async fn expect_notice(&self, part: &str) -> String {
        let path = format!("//*[@id='notice'][contains(normalize-space(), {part:?})]");
        match self.find(&path).await {
            Some(notice) => notice.text().await.expect("its text"),
            None => self.miss(part).await,
        }
    }

    /// Types into the field of this label, over what is in it.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let path = format!("//*[@id=//label[normalize-space()={label:?}]/@for]");
        let field = self
            .find(&path)
            .await
            .unwrap_or_else(|| panic!("a field {label:?}"));
        // A file's name can't be cleared, and is the name of the file itself.
        let _ = field.clear().await;
        field.send_keys(text).await.expect("the field takes text");
    }

    /// Presses the button or link of this text, and waits until the page is another one.
    pub(crate) async fn press(&self, text: &str) {
        let page = self
            .client
            .find(Locator::Css("html"))
            .await
            .expect("a page");
        self.press_and_stay(text).await;
        let left = tokio::time::timeout(PATIENCE, async {
            while page.tag_name().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        left.await
            .unwrap_or_else(|_| panic!("{text:?} leads nowhere"));
    }

    /// Presses what leads to no other page.
    pub(crate) async fn press_and_stay(&self, text: &str) {
        let pressed = self.find(&pressable(text)).await;
        let pressed = pressed.unwrap_or_else(|| panic!("a button {text:?}"));
        pressed.click().await.expect("it can be pressed");
    }

    /// The text of the first element of this selector, as it is read.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let element = self.client.find(Locator::Css(selector)).await;
        element.expect(selector).text().await.expect("its text")
    }

    /// The texts of all elements of this selector.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self
            .client
            .find_all(Locator::Css(selector))
            .await
            .expect(selector)
        {
            texts.push(element.text().await.expect("its text"));
        }
        texts
    }

    /// Waits until an element of this selector has another text than before.
    pub(crate) async fn wait_for_change(&self, selector: &str, before: &str) -> String {
        let changed = format!(
            "return document.querySelector({selector:?}).textContent.trim() !== {before:?}"
        );
        let waited = tokio::time::timeout(PATIENCE, async {
            while self.run(&changed).await != Value::Bool(true) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited
            .await
            .unwrap_or_else(|_| panic!("{selector} stays {before:?}"));
        self.text(selector).await
    }

    /// The value of an attribute of the first element of this selector.
    pub(crate) async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let element = self.client.find(Locator::Css(selector)).await;
        element.expect(selector).attr(name).await.expect(name)
    }

    pub(crate) async fn is_shown(&self, selector: &str) -> bool {
        match self.client.find(Locator::Css(selector)).await {
            Ok(element) => element.is_displayed().await.expect("it can be seen or not"),
            Err(_) => false,
        }
    }

    /// A picture of an element.
    pub(crate) async fn picture(&self, selector: &str) -> Vec<u8> {
        let element = self.client.find(Locator::Css(selector)).await;
        element
            .expect(selector)
            .screenshot()
            .await
            .expect("a picture")
    }

    /// Runs a script of the test's own in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .expect("the script runs")
    }

    /// What was saved under this name.
    pub(crate) async fn saved(&self, name: &str) -> String {
        let path = self.downloads.join(name);
        let waited = tokio::time::timeout(PATIENCE, async {
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited
            .await
            .unwrap_or_else(|_| panic!("{name} isn't saved"));
        fs::read_to_string(path).expect("a text")
    }

    /// Sets the size of the window.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.client
            .set_window_size(width, height)
            .await
            .expect("the window has a size");
    }

    /// Types on the keyboard, wherever the focus is.
    pub(crate) async fn type_keys(&self, keys: &str) {
        let focused = self
            .client
            .active_element()
            .await
            .expect("something has the focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// Does something else in a window of its own, and comes back.
    pub(crate) async fn meanwhile(&self, work: impl Future<Output = ()>) {
        let here = self.client.window().await.expect("a window");
        let other = self
            .client
            .new_window(true)
            .await
            .expect("another window")
            .handle;
        self.client
            .switch_to_window(other)
            .await
            .expect("to go there");
        work.await;
        self.client.close_window().await.expect("to close it");
        self.client
            .switch_to_window(here)
            .await
            .expect("to come back");
    }

    /// A cookie, as the browser has it.
    pub(crate) async fn cookie(&self, name: &str) -> Cookie<'static> {
        self.client.get_named_cookie(name).await.expect(name)
    }

    /// Has this cookie alone for the site that it is on.
    pub(crate) async fn have_cookie(&self, name: &str, value: &str) {
        self.client.delete_all_cookies().await.expect("no cookies");
        self.run(&format!("document.cookie = '{name}={value}; path=/'"))
            .await;
    }

    async fn find(&self, xpath: &str) -> Option<Element> {
        let wait = self.client.wait().at_most(PATIENCE);
        wait.for_element(Locator::XPath(xpath)).await.ok()
    }
}

fn pressable(text: &str) -> String {
    let kinds = "self::button or self::a or self::summary or self::label";
    format!("(//main | //header)//*[{kinds}][normalize-space()={text:?}]")
}

/// What drives the browser.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: install the packages chromium and chromium-driver");
        let output = process.stdout.take().expect("its output");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        // It goes on writing, to nobody.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!(
            "http://127.0.0.1:{}",
            port.expect("chromedriver names its port")
        );
        Self { process, url }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
