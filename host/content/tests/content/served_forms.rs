//! Forms and ids that the network's pinners take.

use refiner_content::{Dag, Gateway, LocalStore, content_id};
use reqwest::{Client, multipart};

use crate::{
    LIMIT_BYTES, Outcome, bytes, patient,
    served::{Served, file, limits, posted, served},
};

const CHUNK: usize = 262_144;

async fn upload(served: &Served, form: &str) -> (u16, String) {
    let request = Client::new()
        .post(format!("{}/upload", served.url))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(form.to_owned());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn get(served: &Served, path: &str) -> (u16, bytes::Bytes) {
    let answer = reqwest::get(format!("{}{path}", served.url)).await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap())
}

#[tokio::test]
async fn forms_are_read_in_every_spelling_that_the_pinners_read() {
    let served = served(limits()).await;
    let expected = (200, format!("{{\"cid\": \"{}\"}}", content_id("naïve=\n".as_bytes())));
    for form in [
        "--b\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"a\"\r\n\r\nnaïve=\n\r\n--b--\r\n",
        "--b\nContent-Disposition: form-data; name=\"filedata\"; filename=\"a\"\n\nnaïve=\n\n--b--\n",
        "--b\r\ncontent-disposition: form-data; name=a; filename*=UTF-8''na%C3%AFve\r\n\r\nnaïve=\n\r\n--b--\r\n",
        "--b\r\nCONTENT-DISPOSITION: FORM-DATA; NAME=\"A\"; FILENAME=\"A\"\r\n\r\nnaïve=\n\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve=3D=\r\n=0A\r\n--b--\r\n",
    ] {
        assert_eq!(upload(&served, form).await, expected, "{form}");
    }
    let broken = "--b\r\nContent-Disposition: form-data; filename=a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\x01\r\n--b--";
    assert_eq!(upload(&served, broken).await.0, 400);
    let no_name = "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"\"\r\n\r\nhello\r\n--b--";
    assert_eq!(upload(&served, no_name).await.0, 400);
}

#[tokio::test]
async fn many_files_and_one_of_seventy_megabytes_are_kept() -> Outcome {
    let large = bytes(70_000_000);
    let served = served(refiner_content::serve::ServeLimits::default()).await;
    let url = format!("{}/upload", served.url);
    let many = (0..100_u8).fold(multipart::Form::new(), |form, number| form.part("a", file(&[number])));
    let ids: String = (0..100_u8).map(|number| format!("{{\"cid\": \"{}\"}}", content_id(&[number]))).collect();
    assert_eq!(posted(url.clone(), many).await, (200, ids));
    let id = content_id(&large);
    assert_eq!(
        posted(url, multipart::Form::new().part("a", file(&large))).await,
        (200, format!("{{\"cid\": \"{id}\"}}"))
    );
    let (status, got) = get(&served, &format!("/get?cid={id}")).await;
    assert!(status == 200 && got == large);
    Ok(())
}

#[tokio::test]
async fn an_upload_is_found_by_the_ids_of_its_blocks() -> Outcome {
    let served = served(limits()).await;
    let content = bytes(3 * CHUNK + 1);
    let form = multipart::Form::new().part("a", file(&content));
    assert_eq!(posted(format!("{}/upload", served.url), form).await.0, 200);
    let dag = Dag::of(&content.clone().into());
    for (leaf, chunk) in dag.blocks().iter().zip(content.chunks(CHUNK)) {
        for path in
            [format!("/get?cid={}", leaf.id), format!("/ipfs/{}", leaf.id), format!("/api/v1/get?cid={}", leaf.id)]
        {
            let (status, got) = get(&served, &path).await;
            assert!(status == 200 && got == chunk, "{path}");
        }
    }
    // A part of a file that is damaged is no answer.
    let store = LocalStore::open(served.dir.path(), LIMIT_BYTES)?;
    std::fs::write(store.path(&dag.root()), bytes(3 * CHUNK + 2)[1..].as_ref() as &[u8])?;
    assert_eq!(get(&served, &format!("/get?cid={}", dag.blocks()[0].id)).await.0, 500);
    assert_eq!(get(&served, &format!("/get?cid={}", dag.blocks()[0].id)).await.0, 404);
    Ok(())
}

#[tokio::test]
async fn an_identity_id_is_answered_with_its_bytes() {
    let served = served(limits()).await;
    for path in ["/get?cid=bafkqaa3zmvzq", "/ipfs/bafkqaa3zmvzq", "/api/v1/get?cid=bafkqaa3zmvzq"] {
        assert_eq!(get(&served, path).await, (200, "yes".into()), "{path}");
    }
    // Codec and length are checked.
    assert_eq!(get(&served, "/get?cid=bafkqabdzmvzq").await.0, 400);
}

#[tokio::test]
async fn the_first_of_several_ids_counts_and_health_takes_any_method() -> Outcome {
    let served = served(limits()).await;
    let form = multipart::Form::new().part("a", file(b"hello"));
    posted(format!("{}/upload", served.url), form).await;
    let (hello, other) = (content_id(b"hello"), content_id(b"other"));
    assert_eq!(get(&served, &format!("/get?cid={hello}&cid={other}")).await, (200, "hello".into()));
    assert_eq!(get(&served, &format!("/get?cid={other}&cid={hello}")).await.0, 404);
    assert_eq!(get(&served, &format!("/get?a=b&cid=%62{}", &hello.to_string()[1..])).await, (200, "hello".into()));
    let health = Client::new().post(format!("{}/health", served.url)).send().await?;
    assert_eq!((health.status().as_u16(), health.text().await?), (200, "I'm healthy".into()));
    Ok(())
}

#[tokio::test]
async fn an_empty_file_is_content_like_any_other() -> Outcome {
    let served = served(limits()).await;
    let form = multipart::Form::new().part("a", file(b""));
    let id = content_id(b"");
    assert_eq!(posted(format!("{}/upload", served.url), form).await, (200, format!("{{\"cid\": \"{id}\"}}")));
    assert_eq!(get(&served, &format!("/get?cid={id}")).await, (200, "".into()));
    Gateway::new(&served.url, patient())?;
    Ok(())
}
