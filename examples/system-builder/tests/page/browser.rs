//! A browser on the page of a server of its own.

#[path = "../../../../tests/support/browser.rs"]
mod support;

use crate::binary::Binary;
use fantoccini::Locator;
use serde_json::Value;
use std::{fs, ops::Deref};

pub(crate) struct Browser {
    browser: support::Browser,
    pub(crate) server: Binary,
}

impl Browser {
    /// Opens the page, or returns `None` where there is no browser to open it.
    pub(crate) async fn open(test: &str) -> Option<Self> {
        Self::open_with(test, &[]).await
    }

    /// Opens the page of a server with these flags.
    pub(crate) async fn open_with(test: &str, flags: &[&str]) -> Option<Self> {
        let browser = support::Browser::start(test).await?;
        let server = Binary::with_flags(flags).await;
        let page = format!("http://{}/", server.address);
        browser.client.goto(&page).await.unwrap();
        Some(Self { browser, server })
    }

    /// Chooses a file in the page, as a person does.
    pub(crate) async fn upload(&self, name: &str, content: &Value) {
        let file = self.browser.directory.join(name);
        fs::write(&file, content.to_string()).unwrap();
        let input = self.client.find(Locator::Id("file")).await.unwrap();
        input.send_keys(file.to_str().unwrap()).await.unwrap();
    }

    /// Sets the fragment of the address to the value of an expression.
    pub(crate) async fn go_to_hash(&self, expression: &str) {
        let script = format!("location.hash = {expression}");
        self.client.execute(&script, vec![]).await.unwrap();
    }

    pub(crate) async fn close(self) {
        self.browser.close().await;
    }
}

impl Deref for Browser {
    type Target = support::Browser;

    fn deref(&self) -> &support::Browser {
        &self.browser
    }
}
