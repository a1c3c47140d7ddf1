//! Manifests beside a component on a web server: `rule.toml` beside `rule.wasm`.

use url::Url;

/// True when the component holds a manifest, or cannot be read and so is refused whatever lies beside it.
pub(crate) fn is_inside(component: &[u8]) -> bool {
    !matches!(refiner_manifest::read(component), Ok(None))
}

/// The address of the manifest: that of the component with `.toml` in place of its extension.
pub(crate) fn manifest_of(component: &Url) -> Url {
    let mut url = component.clone();
    let path = component.path();
    let stem = path.rsplit_once('.').filter(|(_, extension)| !extension.contains('/')).map_or(path, |(stem, _)| stem);
    url.set_path(&format!("{stem}.toml"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_has_the_address_of_its_component_with_another_extension() {
        let check = |component: &str, expected: &str| {
            assert_eq!(manifest_of(&component.parse().expect(component)).as_str(), expected);
        };
        check("https://example.org/a/by-sender.wasm", "https://example.org/a/by-sender.toml");
        check("https://example.org/v1.2/by-sender", "https://example.org/v1.2/by-sender.toml");
        check("https://example.org/a.b.wasm?raw=true", "https://example.org/a.b.toml?raw=true");
    }
}
