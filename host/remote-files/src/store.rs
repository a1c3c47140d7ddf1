//! Object stores by the scheme of their URLs.

use std::{ffi::OsString, str::FromStr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
};
use url::Url;

use crate::{
    connector::Connector,
    error::{ReadFault, RemoteError},
    kind::StoreKind,
};

/// Times that a request is made again after a failure that may pass: a 5xx, a connection that broke, silence.
const RETRIES: usize = 5;
/// The time from a request's beginning after which it is not made again.
const RETRY_TIME: Duration = Duration::from_secs(60);
const BACKOFF: BackoffConfig =
    BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };

/// Opens the store of a URL. Nothing is asked of it yet.
pub(crate) fn open(
    kind: StoreKind,
    url: &Url,
    variables: &[(OsString, OsString)],
    connector: Connector,
) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    let retry = RetryConfig { backoff: BACKOFF, max_retries: RETRIES, retry_timeout: RETRY_TIME };
    let opened = match kind {
        StoreKind::S3 => {
            let builder = AmazonS3Builder::new().with_url(url.as_str());
            let builder = settings::<AmazonS3ConfigKey>(variables, &["aws_"])
                .filter(|(key, _)| !matches!(key, AmazonS3ConfigKey::Client(_)))
                .fold(builder, |builder, (key, value)| builder.with_config(key, value));
            let builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true");
            builder.with_retry(retry).with_http_connector(connector).build().map(|store| Arc::new(store) as _)
        }
        StoreKind::Gcs => {
            let builder = GoogleCloudStorageBuilder::new().with_url(url.as_str());
            let builder = settings::<GoogleConfigKey>(variables, &["google_"])
                .filter(|(key, _)| !matches!(key, GoogleConfigKey::Client(_)))
                .fold(builder, |builder, (key, value)| builder.with_config(key, value));
            builder.with_retry(retry).with_http_connector(connector).build().map(|store| Arc::new(store) as _)
        }
        StoreKind::Azure => {
            let builder = MicrosoftAzureBuilder::new().with_url(url.as_str());
            let builder = settings::<AzureConfigKey>(variables, &["azure_"])
                .filter(|(key, _)| !matches!(key, AzureConfigKey::Client(_)))
                .fold(builder, |builder, (key, value)| builder.with_config(key, value));
            builder.with_retry(retry).with_http_connector(connector).build().map(|store| Arc::new(store) as _)
        }
    };
    opened.map_err(|error| RemoteError::Store { name: url.to_string(), kind: Some(kind), fault: ReadFault::of(&error) })
}

/// The variables that are settings of a store.
fn settings<'a, Key: FromStr + 'a>(
    variables: &'a [(OsString, OsString)],
    prefixes: &'a [&str],
) -> impl Iterator<Item = (Key, String)> + 'a {
    variables.iter().filter_map(move |(name, value)| {
        let name = name.to_str()?.to_ascii_lowercase();
        let key = prefixes.iter().any(|prefix| name.starts_with(prefix)).then(|| name.parse().ok()).flatten()?;
        Some((key, value.to_str()?.to_owned()))
    })
}
