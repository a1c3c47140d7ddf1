use refiner_content::{ContentId, FetchBackend as _, NodesPerBlob, das_dag, das_id, read_car, write_car};
use sha2::{Digest as _, Sha256};

use super::{BLOB, dag, gateway, layout};
use crate::{Outcome, bytes, pinner::PinnerDouble, shared};

const SAMPLE: &[u8] = include_bytes!("../../../../../tests/samples/1-22500001.avro");

#[test]
fn ids_are_those_of_the_networks_pinner() -> Outcome {
    let check = |bytes: &[u8], id: &str| assert_eq!(das_id(bytes).unwrap().to_string(), id, "{} bytes", bytes.len());
    check(b"", "bafyreicyz5pm5oddjwalp434wmauwtzgx2yziot2fjtm33aklenwe7vxle");
    check(SAMPLE, "bafyreigyvawr752qcmjvtl4f55kirhew4f6vriwihqf4g3z7yga4fbqqai");
    Ok(())
}

#[tokio::test]
async fn archives_of_the_networks_pinner_are_read_and_have_our_blocks() -> Outcome {
    for (name, id, sha256, archive) in shared::das_archives() {
        let id: ContentId = id.parse()?;
        let double = PinnerDouble::start()?;
        double.serve_at(&format!("/ipfs/{id}?format=car"), 200, &archive);
        let content = gateway(&double).fetch(&id).await?.into_bytes();
        assert_eq!(double.requests().len(), 1);
        assert_eq!(hex(&Sha256::digest(&content)), sha256, "{name}");
        let (uploaded, ours) = (read_car(&archive.into())?, dag(&content, 4));
        assert_eq!((uploaded.len(), ours.root()), (ours.blocks().len(), id), "{name}");
        for block in ours.blocks() {
            assert_eq!(uploaded.get(&block.id), Some(&block.bytes), "{name}");
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn real_specimens_have_the_ids_of_the_networks_pinner() -> Outcome {
    // The smallest alone: all seven fit, and take minutes on a busy machine.
    for (file, id) in shared::das_ids().into_iter().take(1) {
        let Ok(specimen) = std::fs::read(&file) else { continue };
        assert_eq!(das_id(&specimen)?, id.parse::<ContentId>()?, "{}", file.display());
    }
    Ok(())
}

#[test]
fn blobs_number_one_for_each_126976_bytes_and_have_so_many_nodes_as_asked() -> Outcome {
    let content = bytes(BLOB + 1);
    for nodes in [1, 4, 128] {
        let dag = das_dag(&content, layout(nodes))?;
        assert_eq!(dag.blocks().len() as u64, 2 * (nodes + 1) + 1);
        let archive = read_car(&write_car(&dag))?;
        assert_eq!(archive.len(), dag.blocks().len());
        assert_eq!((dag.root() == das_id(&content)?, nodes == 4), (nodes == 4, nodes == 4));
    }
    assert_eq!(dag(&content[1..], 4).blocks().len(), 6);
    assert_eq!([3, 0, 129, 256].map(NodesPerBlob::new), [None; 4]);
    Ok(())
}
