//! What becomes of a photo once it has arrived: copies that say nothing but the picture, an original under seal, and
//! files that are broken or mean harm kept without harm.

use std::path::Path;

use chrono::TimeDelta;
use harness::photos::{self, Camera, Photo, QUADRANTS};
use harness::{Answer, Submission, TestApp, codes, on_both_databases, samples};
use image::{GenericImageView, ImageFormat};
use reqwest::Method;
use serde_json::Value;

on_both_databases!(
    photos_come_out_upright_whichever_way_the_phone_was_held,
    what_is_shown_carries_nothing_but_the_picture,
    the_original_is_sealed_and_opened_with_a_reason,
    filers_get_back_what_they_sent_for_a_fortnight,
    the_job_makes_the_copies_and_they_are_read_in_parts,
    a_photo_asked_for_at_once_is_made_at_once,
    broken_photos_are_kept_and_flagged_and_harm_nobody,
    what_is_not_decoded_is_kept_for_those_who_may_read_originals,
    odd_pictures_are_pictures_too,
    lost_copies_are_made_again,
    thumbnails_are_for_those_who_may_see_the_photo,
);

fn inspection_with(photos: &[Photo]) -> Submission {
    photos.iter().fold(samples::b1().without_photos(), |it, photo| it.with_photo(photo.clone()))
}

fn path(inspection: &Submission, name: &str) -> String {
    format!("/v1/submissions/{}/media/{name}", inspection.id)
}

fn decoded(answer: &Answer) -> image::DynamicImage {
    answer.expect(200);
    assert_eq!(answer.header("content-type"), Some("image/jpeg"));
    image::load_from_memory_with_format(&answer.bytes, ImageFormat::Jpeg).expect("what is served is a JPEG")
}

/// That the picture's quarters have the colours they are seen in.
#[track_caller]
fn is_upright(picture: &image::DynamicImage, what: &str) {
    let (width, height) = picture.dimensions();
    let quarters = [(1, 1), (3, 1), (1, 3), (3, 3)];
    for ((x, y), wanted) in quarters.into_iter().zip(QUADRANTS) {
        let seen = picture.get_pixel(x * width / 4, y * height / 4).0;
        let near = (0..3).all(|channel| seen[channel].abs_diff(wanted[channel]) < 30);
        assert!(near, "{what}: {seen:?} where {wanted:?} should be");
    }
}

async fn photos_come_out_upright_whichever_way_the_phone_was_held(app: TestApp) {
    let held =
        |n: u16| photos::snapshot(&format!("held{n}.jpg"), &Camera { orientation: n, ..Camera::default() });
    let photos: Vec<Photo> = (1..=8).map(held).collect();
    let inspection = inspection_with(&photos);
    app.inspector().await.file_whole(&inspection).await;
    app.run_jobs().await;
    let supervisor = app.supervisor().await;

    for photo in &photos {
        for size in ["", "?size=thumb"] {
            let shown = supervisor.get(&format!("{}{size}", path(&inspection, &photo.name))).await;
            let picture = decoded(&shown);
            assert_eq!(picture.dimensions(), (60, 40), "{}", photo.name);
            is_upright(&picture, &photo.name);
        }
    }
    assert_eq!(app.count("photos", "orientation BETWEEN 1 AND 8 AND state = 'understood'"), 8);
}

async fn what_is_shown_carries_nothing_but_the_picture(app: TestApp) {
    let quetta = Camera {
        position: Some((30.1841, 67.0014)),
        taken_at: Some("2026:11:20 12:30:00"),
        offset: Some("+05:00"),
        ..Camera::default()
    };
    let photos = [
        photos::snapshot("a.jpg", &quetta),
        photos::jpeg("b.jpg", "Feldkamera"),
        photos::png("c.png", "Feldkamera"),
    ];
    let inspection = inspection_with(&photos);
    app.inspector().await.file_whole(&inspection).await;
    app.run_jobs().await;
    let supervisor = app.supervisor().await;

    for photo in &photos {
        assert!(holds(&photo.bytes, b"Feldkamera"), "the original carries it");
        for size in ["", "?size=thumb", "?size=copy"] {
            let shown = supervisor.get(&format!("{}{size}", path(&inspection, &photo.name))).await;
            decoded(&shown);
            for secret in [&b"Exif"[..], b"Feldkamera", b"Nigran", b"2026:11:20", b"http://ns.adobe.com"] {
                assert!(!holds(&shown.bytes, secret), "{}{size} carries {secret:?}", photo.name);
            }
            assert_eq!(segments(&shown.bytes), ["JFIF"], "{}{size}", photo.name);
        }
    }
    assert_eq!(
        app.count(
            "photos",
            "lat BETWEEN 30.184 AND 30.1842 AND lon BETWEEN 67.0013 AND 67.0015 AND model = 'Feldkamera 9' \
            AND make = 'Nigran' AND taken_at = '2026-11-20T12:30:00+05:00'"
        ),
        1
    );
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// What the segments of a JPEG's head call themselves, tables aside.
fn segments(jpeg: &[u8]) -> Vec<String> {
    let (mut at, mut names) = (2, Vec::new());
    while jpeg[at + 1] != 0xda {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if (0xe0..=0xef).contains(&jpeg[at + 1]) || jpeg[at + 1] == 0xfe {
            names.push(String::from_utf8_lossy(&jpeg[at + 4..at + 8]).into_owned());
        }
        at += 2 + length;
    }
    names
}

async fn the_original_is_sealed_and_opened_with_a_reason(app: TestApp) {
    let photo = photos::snapshot("front.jpg", &Camera { position: Some((30.18, 67.0)), ..Camera::default() });
    let inspection = inspection_with(std::slice::from_ref(&photo));
    app.inspector().await.file_whole(&inspection).await;
    let (supervisor, path) = (app.supervisor().await, path(&inspection, "front.jpg"));

    let copy = supervisor.get(&path).await;
    let refused = supervisor.get(&format!("{path}?size=original")).await.refused(403, "original_sealed");
    let original = supervisor.get(&format!("{path}?size=original&reason=case-review")).await;

    assert_ne!(copy.expect(200).bytes, photo.bytes);
    assert!(refused["detail"].as_str().unwrap().contains("?size=original&reason="), "{refused}");
    assert_eq!(original.expect(200).bytes, photo.bytes);
    assert_eq!(original.header("etag"), Some(&*format!("\"{}\"", photo.sha256())));
    assert_eq!(
        app.count(
            "audit_events",
            "action = 'submission.read' AND details LIKE '%media_original%case-review%'"
        ),
        1
    );
    assert_eq!(
        app.count("audit_events", "details LIKE '%media_original%' AND details NOT LIKE '%case-review%'"),
        0
    );
    supervisor.get(&format!("{path}?size=huge")).await.expect(400);
}

async fn filers_get_back_what_they_sent_for_a_fortnight(app: TestApp) {
    let photo = photos::snapshot("front.jpg", &Camera::default());
    let inspection = inspection_with(std::slice::from_ref(&photo));
    app.inspector().await.file_whole(&inspection).await;
    let path = path(&inspection, "front.jpg");

    let soon = app.inspector().await.get(&path).await;
    app.clock.advance(TimeDelta::days(15));
    let phone = app.inspector().await;
    let later = phone.get(&path).await;

    assert_eq!(soon.expect(200).bytes, photo.bytes);
    assert_ne!(later.expect(200).bytes, photo.bytes);
    is_upright(&decoded(&later), "the copy");
    phone.get(&format!("{path}?size=original&reason=mine")).await.refused(403, "original_sealed");
}

async fn the_job_makes_the_copies_and_they_are_read_in_parts(app: TestApp) {
    let photo =
        photos::snapshot_of_size("front.jpg", 3000, 1600, &Camera { orientation: 6, ..Camera::default() });
    let inspection = inspection_with(std::slice::from_ref(&photo));
    app.inspector().await.file_whole(&inspection).await;
    app.run_jobs().await;
    assert_eq!(app.count("photos", "state = 'understood' AND width = 3000 AND height = 1600"), 1);
    assert_eq!(app.count("jobs", "kind = 'photo.understand'"), 0);
    assert_eq!(app.count("audit_events", "action = 'media.understood'"), 1);
    let (supervisor, path) = (app.supervisor().await, path(&inspection, "front.jpg"));
    let thumb = format!("{path}?size=thumb");

    let copy = decoded(&supervisor.get(&path).await);
    let small = supervisor.get(&thumb).await;
    let part = supervisor.request(Method::GET, &thumb).header("Range", "bytes=10-19").send().await;
    let again = supervisor
        .request(Method::GET, &thumb)
        .header("If-None-Match", small.header("etag").unwrap())
        .send()
        .await;

    assert_eq!(copy.dimensions(), (1365, 2560));
    assert_eq!(decoded(&small).dimensions(), (273, 512));
    assert!(small.bytes.len() < 60_000, "{}", small.bytes.len());
    assert_eq!(part.expect(206).bytes, small.bytes[10..20]);
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 10-19/{}", small.bytes.len())));
    assert_eq!(small.header("etag"), Some(&*format!("\"{}-thumb\"", photo.sha256())));
    again.expect(304);
}

async fn a_photo_asked_for_at_once_is_made_at_once(app: TestApp) {
    let photo = photos::snapshot("front.jpg", &Camera { orientation: 8, ..Camera::default() });
    let inspection = inspection_with(std::slice::from_ref(&photo));
    app.inspector().await.file_whole(&inspection).await;

    let thumb = app.supervisor().await.get(&format!("{}?size=thumb", path(&inspection, "front.jpg"))).await;

    is_upright(&decoded(&thumb), "the thumbnail");
    assert_eq!(app.count("photos", "true"), 1);
    app.run_jobs().await;
    assert_eq!(app.count("audit_events", "action = 'media.understood'"), 1, "the job finds it done");
    assert_eq!(app.count("jobs", "kind = 'photo.understand'"), 0);
}

async fn broken_photos_are_kept_and_flagged_and_harm_nobody(app: TestApp) {
    let whole = photos::snapshot_of_size("whole.jpg", 640, 480, &Camera::default()).bytes;
    let cut = Photo::new("cut.jpg", "image/jpeg", whole[..whole.len() * 2 / 3].to_vec());
    let mut spoilt = photos::png("spoilt.png", "x").bytes;
    let end = spoilt.len();
    spoilt[end - 20] ^= 0xff;
    let spoilt = Photo::new("spoilt.png", "image/png", spoilt);
    let bomb = photos::png_claiming("bomb.png", 60_000, 60_000);
    let large = photos::png_claiming("large.png", 1, u32::MAX >> 1);
    let noise = Photo::new("noise.jpg", "image/jpeg", [b"\xff\xd8\xff\xe0".as_slice(), &[7; 500]].concat());
    let webp =
        Photo::new("cut.webp", "image/webp", photos::webp("x.webp", "a long mark").bytes[..40].to_vec());
    let files = [cut, spoilt, bomb, large, noise, webp];
    let inspection = inspection_with(&files);
    app.inspector().await.file_whole(&inspection).await;

    app.run_jobs().await;

    let supervisor = app.supervisor().await;
    let read = supervisor.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
    let broken: Vec<(&str, &str)> = flags(&read, "photo_broken")
        .iter()
        .map(|flag| (flag["figures"]["name"].as_str().unwrap(), flag["figures"]["why"].as_str().unwrap()))
        .collect();
    let mut wanted = [
        ("cut.jpg", "truncated"),
        ("spoilt.png", "damaged"),
        ("bomb.png", "too_many_pixels"),
        ("large.png", "too_many_pixels"),
        ("noise.jpg", "damaged"),
        ("cut.webp", "truncated"),
    ];
    wanted.sort_unstable();
    assert_eq!(broken, wanted);
    for file in &files {
        let path = path(&inspection, &file.name);
        supervisor.get(&format!("{path}?size=thumb")).await.refused(404, "no_thumbnail");
        supervisor.get(&path).await.refused(404, "no_copy");
        let original = supervisor.get(&format!("{path}?size=original&reason=case-review")).await;
        assert_eq!(original.expect(200).bytes, file.bytes, "{}", file.name);
    }
    assert_eq!(app.count("jobs", "state = 'parked' OR kind = 'photo.understand'"), 0);
    app.stranger().get("/readyz").await.ok();
}

fn flags<'a>(read: &'a Value, code: &str) -> Vec<&'a Value> {
    read["flags"].as_array().unwrap().iter().filter(|flag| flag["code"] == code).collect()
}

async fn what_is_not_decoded_is_kept_for_those_who_may_read_originals(app: TestApp) {
    let files =
        [photos::heic("door.heic", "x"), photos::heic("gate.heif", "y"), photos::pdf("order.pdf", "z")];
    let inspection = inspection_with(&files);
    let phone = app.inspector().await;
    phone.file_whole(&inspection).await;
    app.run_jobs().await;
    let supervisor = app.supervisor().await;

    for file in &files {
        let path = path(&inspection, &file.name);
        let no_thumb = supervisor.get(&format!("{path}?size=thumb")).await.refused(404, "no_thumbnail");
        assert!(no_thumb["detail"].as_str().unwrap().contains("reason"), "{no_thumb}");
        supervisor.get(&path).await.refused(403, "original_sealed");
        let original = supervisor.get(&format!("{path}?reason=case-review")).await;
        assert_eq!(original.expect(200).bytes, file.bytes, "{}", file.name);
        assert_eq!(phone.get(&path).await.expect(200).bytes, file.bytes);
    }
    let read = supervisor.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
    assert!(!codes(&read["flags"]).contains(&"photo_broken"), "{}", read["flags"]);
}

async fn odd_pictures_are_pictures_too(app: TestApp) {
    let encode = |name: &str, picture: image::DynamicImage, format, content_type| {
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        Photo::new(name, content_type, file.into_inner())
    };
    let clear = image::RgbaImage::from_pixel(20, 20, image::Rgba([255, 0, 0, 0]));
    let deep = image::ImageBuffer::from_pixel(9, 9, image::Rgb([65_535_u16, 0, 0]));
    let files = [
        photos::jpeg("grey.jpg", "x"),
        photos::cmyk("cmyk.jpg"),
        photos::png("one.png", "x"),
        photos::webp("one.webp", "x"),
        encode("clear.png", clear.into(), ImageFormat::Png, "image/png"),
        encode("deep.png", image::DynamicImage::ImageRgb16(deep), ImageFormat::Png, "image/png"),
        encode("tall.png", image::GrayImage::new(1, 9000).into(), ImageFormat::Png, "image/png"),
        encode("real.webp", photos::quadrants(60, 40).into(), ImageFormat::WebP, "image/webp"),
        encode("tiny.jpg", image::RgbImage::new(1, 1).into(), ImageFormat::Jpeg, "image/jpeg"),
    ];
    let inspection = inspection_with(&files);
    app.inspector().await.file_whole(&inspection).await;
    app.run_jobs().await;
    let supervisor = app.supervisor().await;
    let mut shown = Vec::new();
    for file in &files {
        let answer = supervisor.get(&path(&inspection, &file.name)).await;
        assert_eq!(answer.status, 200, "{}: {}", file.name, answer.text());
        shown.push(decoded(&answer));
    }

    let [grey, _, one, one_webp, clear, deep, tall, real, tiny] = shown.try_into().unwrap();
    assert_eq!(grey.dimensions(), (8, 8));
    assert_eq!((one.dimensions(), one_webp.dimensions(), tiny.dimensions()), ((1, 1), (1, 1), (1, 1)));
    assert!(
        clear.get_pixel(10, 10).0.iter().all(|channel| *channel > 250),
        "what is clear is shown on white"
    );
    assert!(deep.get_pixel(4, 4).0[0] > 240 && deep.get_pixel(4, 4).0[1] < 20);
    assert_eq!(tall.dimensions(), (1, 2560));
    is_upright(&real, "real.webp");
}

async fn lost_copies_are_made_again(app: TestApp) {
    let photo = photos::snapshot("front.jpg", &Camera::default());
    let inspection = inspection_with(&[photo]);
    app.inspector().await.file_whole(&inspection).await;
    app.run_jobs().await;
    let (supervisor, path) = (app.supervisor().await, path(&inspection, "front.jpg"));
    let before = supervisor.get(&path).await.expect(200).bytes.clone();

    assert!(empty_folders(app.data_dir(), "copies", false) > 0, "there are copies on the disk");

    assert_eq!(supervisor.get(&path).await.expect(200).bytes, before);
}

/// Removes every file in the folders of this name, and says how many there were.
fn empty_folders(under: &Path, name: &str, inside: bool) -> usize {
    let paths = std::fs::read_dir(under).unwrap().flatten().map(|entry| entry.path());
    paths
        .map(|path| match path.is_dir() {
            true => empty_folders(&path, name, inside || path.file_name().is_some_and(|own| own == name)),
            false if inside => std::fs::remove_file(&path).map(|()| 1).unwrap(),
            false => 0,
        })
        .sum()
}

async fn thumbnails_are_for_those_who_may_see_the_photo(app: TestApp) {
    let inspection = inspection_with(&[photos::snapshot("front.jpg", &Camera::default())]);
    app.inspector().await.file_whole(&inspection).await;
    let path = format!("{}?size=thumb", path(&inspection, "front.jpg"));

    app.stranger().get(&path).await.expect(401);
    app.inspector_in("PK226").await.get(&path).await.expect(404);
    app.auditor().await.get(&path).await.expect(404);
    for nobody in ["supervisor-swd", "case-worker", "admin", "oversight", "log-auditor"] {
        let answer = app.login(nobody).await.get(&path).await;
        assert!([403, 404].contains(&answer.status), "{nobody}: {}", answer.status);
    }
}
