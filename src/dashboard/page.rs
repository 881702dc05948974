use axum::{
    http::header::CONTENT_SECURITY_POLICY,
    response::{Html, IntoResponse},
};

const PAGE: &str = concat!(
    include_str!("page/head.html"),
    "<style>",
    include_str!("page/vendor/uPlot.min.css"),
    include_str!("page/page.css"),
    "</style>",
    include_str!("page/body.html"),
    "<script>",
    include_str!("page/vendor/uPlot.min.js"),
    include_str!("page/format.js"),
    include_str!("page/parts.js"),
    include_str!("page/chart.js"),
    include_str!("page/routes.js"),
    include_str!("page/history.js"),
    include_str!("page/page.js"),
    "</script>\n",
);

/// Allows this exact style and script and an empty icon, and no address but the page's own. The hashes are SHA-256 of
/// the two elements' contents; a test prints the right ones.
const POLICY: &str = "default-src 'none'; \
    img-src data:; \
    style-src 'sha256-Y/bffun8EX3k28abLvJ16NbPJpRUJ+NY45pPiBx/x8A='; \
    script-src 'sha256-/1pCJmHWKVAgGdx9qUKwMZedPPLU2IqU53OkBWCs10M='; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_allows_this_very_style_and_script() {
        for kind in ["style", "script"] {
            let after = PAGE
                .split_once(&format!("<{kind}>"))
                .expect("one element")
                .1;
            let text = after.split_once(&format!("</{kind}>")).expect("its end").0;
            let source = format!(
                "{kind}-src 'sha256-{}'",
                STANDARD.encode(Sha256::digest(text))
            );
            assert!(POLICY.contains(&source), "POLICY needs {source}");
        }
    }
}
