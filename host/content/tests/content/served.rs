use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_content::{
    Accept, Content, ContentId, ContentStore, FetchBackend, FetchError, Gateway, KeepError, LocalStore, Pinner,
    content_id, das_id,
    serve::{self, ContentName, ServeLimits},
};
use refiner_listener::{Access, BindError, bind};
use reqwest::{Client, multipart};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{LIMIT_BYTES, Outcome, bytes, patient, patient_pinner};

pub struct Served {
    pub dir: tempfile::TempDir,
    pub url: String,
    _stop: DropGuard,
}

pub async fn served(limits: ServeLimits) -> Served {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::open(dir.path(), limits.upload_bytes).unwrap();
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // The first of our clients installs the cryptography that the plain ones of these tests use too.
    Gateway::new(&url, patient()).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(serve::serve(listener, store, limits, Access::default(), stop.clone()));
    Served { dir, url, _stop: stop.drop_guard() }
}

pub fn limits() -> ServeLimits {
    ServeLimits { upload_bytes: LIMIT_BYTES, ..ServeLimits::default() }
}

pub async fn posted(url: String, form: multipart::Form) -> (u16, String) {
    let answer = Client::new().post(url).multipart(form).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

pub fn file(bytes: &[u8]) -> multipart::Part {
    multipart::Part::bytes(bytes.to_vec()).file_name("a")
}

#[tokio::test]
async fn our_pinner_and_gateway_work_against_it() -> Outcome {
    let served = served(limits()).await;
    let pinner = Pinner::new(&served.url, patient_pinner())?;
    let gateway = Gateway::new(&served.url, patient())?;
    pinner.health().await?;
    for length in [1, 262_144, 262_145, LIMIT_BYTES] {
        let content = Content::of(bytes(length).into());
        assert_eq!(pinner.name(&content).await?, content.id());
        assert!(matches!(pinner.fetch(&content.id()).await, Err(FetchError::NotFound { .. })));
        assert_eq!(pinner.keep(&content).await?, content.id());
        assert_eq!(pinner.fetch(&content.id()).await?, content);
        assert_eq!(gateway.fetch(&content.id()).await?, content);
        assert_eq!(LocalStore::open(served.dir.path(), LIMIT_BYTES)?.read(&content.id())?, content);
    }
    let larger = pinner.keep(&Content::of(bytes(LIMIT_BYTES + 1).into())).await.unwrap_err();
    assert!(matches!(larger, KeepError::TooLarge { .. }), "{larger:?}");
    Ok(())
}

#[tokio::test]
async fn it_answers_as_the_pinner_does() -> Outcome {
    let served = served(limits()).await;
    let upload = format!("{}/upload", served.url);
    let object = |bytes: &[u8]| format!("{{\"cid\": \"{}\"}}", content_id(bytes));
    let form = multipart::Form::new;

    let one = form().part("any name", file(b"hello"));
    assert_eq!(posted(upload.clone(), one).await, (200, object(b"hello")));
    let two = form().text("field", "ignored").part("a", file(b"hello")).part("a", file(b"hello2"));
    assert_eq!(posted(upload.clone(), two).await, (200, object(b"hello") + &object(b"hello2")));
    let health = reqwest::get(format!("{}/health", served.url)).await?.text().await?;
    assert_eq!(health, "I'm healthy");
    Ok(())
}

#[tokio::test]
async fn a_refusal_has_its_reason_as_valid_json() -> Outcome {
    let served = served(limits()).await;
    let upload = format!("{}/upload", served.url);
    let check = |(status, body): (u16, String), expected: u16| {
        assert_eq!(status, expected, "{body}");
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(answer["error"].is_string(), "{body}");
    };
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", served.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let form = multipart::Form::new;
    check(posted(upload.clone(), form().text("filedata", "no file name")).await, 400);
    check(posted(upload.clone(), form()).await, 400);
    check(posted(upload.clone(), form().part("a", file(&bytes(LIMIT_BYTES + 1)))).await, 413);
    let halves = form().part("a", file(&bytes(LIMIT_BYTES / 2))).part("a", file(&bytes(LIMIT_BYTES / 2 + 1)));
    check(posted(upload.clone(), halves).await, 413);
    let many = (0..1_025_u32).fold(form(), |form, number| form.part("a", file(&number.to_le_bytes())));
    check(posted(upload.clone(), many).await, 413);
    let plain = Client::new().post(&upload).body("hello").send().await?;
    check((plain.status().as_u16(), plain.text().await?), 500);
    let cut = Client::new()
        .post(&upload)
        .header("content-type", "multipart/form-data; boundary=b")
        .body("--b\r\n")
        .send()
        .await?;
    check((cut.status().as_u16(), cut.text().await?), 400);
    check(get("/get").await, 400);
    check(get("/get?cid=").await, 400);
    check(get("/get?cid=\"hello\"").await, 400);
    check(get(&format!("/get?cid={}", content_id(b"not there"))).await, 404);
    check(get("/ipfs/hello").await, 400);
    Ok(())
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_never_an_answer() -> Outcome {
    let served = served(limits()).await;
    let store = LocalStore::open(served.dir.path(), LIMIT_BYTES)?;
    let id = store.write(&Content::of("hello".into()))?;
    std::fs::write(store.path(&id), "hellO")?;
    let answer = reqwest::get(format!("{}/get?cid={id}", served.url)).await?;
    assert_eq!(answer.status(), 500);
    Ok(())
}

#[tokio::test]
async fn only_loopback_is_listened_on_unless_asked() -> Outcome {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(matches!(bind(everywhere, false).await, Err(BindError::NotLoopback { .. })));
    assert!(bind(everywhere, true).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn it_ends_when_it_is_stopped() -> Outcome {
    let dir = tempfile::tempdir()?;
    let store = LocalStore::open(dir.path(), LIMIT_BYTES)?;
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).await?;
    let stop = CancellationToken::new();
    stop.cancel();
    serve::serve(listener, store, limits(), Access::default(), stop).await;
    Ok(())
}

#[tokio::test]
async fn its_newer_api_answers_with_das_roots_and_gives_the_content_back() -> Outcome {
    let served = served(limits()).await;
    let (hello, empty) = (das_id(b"hello")?, das_id(b"")?);
    let object = |id: &ContentId| format!("{{\"cid\": \"{id}\"}}");
    let files = || multipart::Form::new().part("a", file(b"hello")).part("a", file(b""));
    let api = |path: &str| format!("{}/api/v1/{path}", served.url);
    assert_eq!(posted(api("cid"), files()).await, (200, object(&hello) + &object(&empty)));
    let status = async |url: String| reqwest::get(url).await.unwrap().status().as_u16();
    assert_eq!(status(api(&format!("get?cid={hello}"))).await, 404);

    assert_eq!(posted(api("upload"), files()).await, (200, object(&hello) + &object(&empty)));
    for id in [hello.to_string(), content_id(b"hello").to_string()] {
        for url in [api(&format!("get?cid={id}")), format!("{}/get?cid={id}", served.url)] {
            assert_eq!(reqwest::get(url).await?.text().await?, "hello");
        }
    }
    assert_eq!(reqwest::get(api(&format!("get?cid={empty}"))).await?.text().await?, "");
    assert_eq!(reqwest::get(api("health")).await?.text().await?, "");
    for base in [&served.url, &api("")] {
        assert_eq!(Pinner::new(base, patient_pinner())?.fetch(&hello).await?.bytes(), "hello");
    }
    assert_eq!(status(format!("{}/ipfs/{hello}", served.url)).await, 406);
    assert_eq!(Gateway::new(&served.url, patient())?.fetch(&hello).await?.bytes(), "hello");
    Ok(())
}

/// One content, which is no longer there when it is read where `is_gone`.
struct OneContent {
    content: Content,
    announced: [u8; 32],
    is_gone: bool,
    is_in_memory: bool,
}

impl serve::ContentSource for OneContent {
    fn length(&self, name: &ContentName) -> Option<usize> {
        let is_this = match name {
            ContentName::Id(id) => *id == self.content.id(),
            ContentName::Announced(hash) => *hash == self.announced,
        };
        is_this.then(|| self.content.bytes().len())
    }

    fn in_memory(&self, _: &ContentName) -> Option<Bytes> {
        self.is_in_memory.then(|| self.content.bytes().clone())
    }

    fn read(&self, _: &ContentName) -> Option<Bytes> {
        (!self.is_gone).then(|| self.content.bytes().clone())
    }
}

#[tokio::test]
async fn content_of_no_store_is_served_by_its_names_and_nothing_else_is() -> Outcome {
    let buffers = Buffers::default();
    for (is_gone, is_in_memory) in [(false, false), (true, false), (true, true)] {
        let content = Content::of(bytes(300_000).into());
        let announced = [7; 32];
        let source = Arc::new(OneContent { content: content.clone(), announced, is_gone, is_in_memory });
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let gateway = Gateway::new(&url, patient())?;
        let stop = CancellationToken::new();
        let _stopped = stop.clone().drop_guard();
        tokio::spawn(serve::serve_source(listener, source, limits(), Access::default(), stop));
        let fetched = gateway.fetch(&content.id()).await;
        let known = |name, length| {
            let (gateway, buffers, expected) = (&gateway, &buffers, content.bytes().clone());
            let accept: Accept = Arc::new(move |bytes| *bytes == expected);
            async move { gateway.fetch_known(&name, length, accept, buffers).await }
        };
        let by_hash = known(ContentName::Announced(announced), 300_000).await;
        if is_gone && !is_in_memory {
            assert!(matches!(fetched, Err(FetchError::NotFound { .. })), "{fetched:?}");
            assert!(matches!(by_hash, Err(FetchError::NotFound { .. })), "{by_hash:?}");
            continue;
        }
        assert_eq!(fetched?, content);
        assert_eq!(by_hash?, *content.bytes());
        assert_eq!(known(ContentName::Id(content.id()), 300_000).await?, *content.bytes());
        let other = known(ContentName::Announced([8; 32]), 300_000).await;
        assert!(matches!(other, Err(FetchError::NotFound { .. })), "{other:?}");
        let longer = known(ContentName::Id(content.id()), 299_999).await;
        assert!(matches!(longer, Err(FetchError::TooLarge { limit_bytes: 299_999, .. })), "{longer:?}");
        let shorter = known(ContentName::Id(content.id()), 300_001).await;
        assert!(matches!(shorter, Err(FetchError::TooShort { bytes: 300_000, expected: 300_001, .. })), "{shorter:?}");
        let refuse: Accept = Arc::new(|_| false);
        let refused = gateway.fetch_known(&ContentName::Id(content.id()), 300_000, refuse, &buffers).await;
        assert!(matches!(refused, Err(FetchError::NotAnnounced { .. })), "{refused:?}");
        assert!(matches!(gateway.fetch(&content_id(b"other")).await, Err(FetchError::NotFound { .. })));
        assert_eq!(Client::new().get(format!("{url}/announced/7")).send().await?.status(), 400);
        assert_eq!(posted(format!("{url}/upload"), multipart::Form::new().part("a", file(b"a"))).await.0, 404);
    }
    Ok(())
}
