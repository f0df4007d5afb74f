//! Pieces of uploads: kept, put together, removed; and a folder that goes while somebody puts something into it.

use bytes::Bytes;
use futures_util::future::join_all;

use crate::media::testing::{TestMedia, jpeg, named, sha256};
use crate::media::{Assembled, Expected, Piece};

async fn kept(test: &TestMedia, upload: &str, whole: &Bytes, step: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for first in (0..whole.len()).step_by(step) {
        let bytes = whole.slice(first..whole.len().min(first + step));
        pieces.push(test.media.keep_piece(upload, first as u64, bytes).await.unwrap());
    }
    pieces
}

fn expected(whole: &Bytes) -> Expected {
    Expected { sha256: Some(sha256(whole)), size: Some(whole.len() as u64), ..named("a.jpg") }
}

fn folders(test: &TestMedia) -> usize {
    std::fs::read_dir(test.folder.path().join("media/store/nigran-media/uploads")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn pieces_become_the_file_they_were_cut_from() {
    let test = TestMedia::start("pieces").await;
    let whole = jpeg(300_000, 1);
    let cut = whole.slice(..250_000);
    // The first ones together are too short to tell the kind.
    let mut pieces = kept(&test, "u", &cut.slice(..40), 10).await;
    pieces.extend(kept(&test, "u", &cut.slice(40..), 70_000).await);

    let merged = test.media.merge_pieces("u", 0, &pieces[..4]).await.unwrap().unwrap();
    pieces.splice(..4, [merged]);
    let assembled = test.media.assemble(&pieces, whole.slice(250_000..), &expected(&whole)).await.unwrap();

    let Assembled::Stored(stored) = assembled else { panic!("{assembled:?}") };
    assert_eq!((stored.size, stored.content_type), (300_000, "image/jpeg"));
    assert!(test.read(&stored).await == whole);
    test.media.discard_upload("u").await.unwrap();
    assert_eq!((folders(&test), test.objects(), test.leftovers()), (0, 1, 0));
}

#[tokio::test]
async fn content_with_another_hash_never_becomes_a_file() {
    let test = TestMedia::start("pieces-hash").await;
    let (whole, other) = (jpeg(300_000, 1), jpeg(300_000, 2));
    let pieces = kept(&test, "u", &other, 100_000).await;

    let refused = test.media.assemble(&pieces, Bytes::new(), &expected(&whole)).await.unwrap_err();
    let in_memory = test.media.assemble(&[], other.clone(), &expected(&whole)).await.unwrap_err();

    assert_eq!((refused.code, in_memory.code), ("media_hash_mismatch", "media_hash_mismatch"));
    assert_eq!((test.objects(), test.leftovers()), (0, 0));
}

#[tokio::test]
async fn a_piece_that_is_gone_is_noticed() {
    let test = TestMedia::start("pieces-gone").await;
    let whole = jpeg(300_000, 1);
    for gone in [0, 2] {
        let pieces = kept(&test, "u", &whole, 100_000).await;
        test.media.discard_pieces(vec![pieces[gone].clone()]).await.unwrap();

        let assembled = test.media.assemble(&pieces, Bytes::new(), &expected(&whole)).await.unwrap();

        assert_eq!(assembled, Assembled::Moved);
        assert_eq!(test.media.merge_pieces("u", 0, &pieces).await.unwrap(), None);
    }
    assert_eq!((test.objects(), test.leftovers()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_emptied_while_it_is_filled_loses_nothing() {
    let test = TestMedia::start("pieces-folder").await;
    let bytes = jpeg(1000, 1);
    for _ in 0..20 {
        // Each removes what it kept, so the folder goes whenever nobody has something in it.
        let turns = (0..8).map(|first| {
            let (media, bytes) = (test.media.clone(), bytes.clone());
            async move {
                let piece = media.keep_piece("u", first, bytes).await.unwrap();
                media.discard_pieces(vec![piece]).await.unwrap();
            }
        });
        join_all(turns).await;
    }

    assert_eq!((folders(&test), test.leftovers()), (0, 0));
    assert!(!kept(&test, "u", &bytes, 500).await.is_empty());
}
