//! The tables as diesel sees them; the same on both databases (`migrations/`).
#![allow(missing_docs)]

diesel::table! {
    accounts (id) {
        id -> Text,
        username -> Text,
        name -> Text,
        code -> Text,
        role -> Text,
        line -> Nullable<Text>,
        chair -> Bool,
        unit -> Nullable<Text>,
        password_hash -> Text,
        status -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    account_areas (account_id, area) {
        account_id -> Text,
        area -> Text,
    }
}

diesel::table! {
    devices (account_id, id) {
        account_id -> Text,
        id -> Text,
        name -> Text,
        app -> Text,
        registered_at -> BigInt,
        seen_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        account_id -> Text,
        device_id -> Nullable<Text>,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        closed_because -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Text,
        session_id -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_events (seq) {
        seq -> BigInt,
        at -> BigInt,
        account_id -> Nullable<Text>,
        device_id -> Nullable<Text>,
        action -> Text,
        subject -> Text,
        details -> Text,
    }
}

diesel::table! {
    audit_unsealed (seq) {
        seq -> BigInt,
    }
}

diesel::table! {
    audit_seals (n) {
        n -> BigInt,
        sealed_at -> BigInt,
        previous -> Text,
        members -> Binary,
        hash -> Text,
    }
}

diesel::table! {
    releases (form, version) {
        form -> Text,
        version -> Integer,
        hash -> Text,
        kind -> Text,
        title -> Text,
        published_at -> BigInt,
        published_by -> Nullable<Text>,
        package -> Binary,
    }
}

diesel::table! {
    boundary_sets (id) {
        id -> Text,
        set_id -> Text,
        level -> Integer,
        vintage -> Text,
        valid_from -> Nullable<Text>,
        valid_to -> Nullable<Text>,
        licence -> Text,
        attribution -> Text,
        sha256 -> Text,
        line_uncertainty_m -> Double,
        imported_at -> BigInt,
        area_count -> Integer,
    }
}

diesel::table! {
    boundary_areas (boundary_set_id, code) {
        boundary_set_id -> Text,
        code -> Text,
        name_en -> Text,
        name_ur -> Nullable<Text>,
        parent -> Nullable<Text>,
        properties -> Text,
        geometry -> Binary,
    }
}

diesel::table! {
    media_objects (sha256) {
        sha256 -> Text,
        size -> BigInt,
        content_type -> Text,
        stored_at -> BigInt,
    }
}

diesel::table! {
    submission_media (submission_id, name) {
        submission_id -> Text,
        name -> Text,
        sha256 -> Text,
        account_id -> Text,
        arrived_at -> BigInt,
    }
}

diesel::table! {
    uploads (id) {
        id -> Text,
        account_id -> Text,
        submission_id -> Text,
        name -> Text,
        sha256 -> Text,
        content_type -> Nullable<Text>,
        size -> BigInt,
        received -> BigInt,
        state -> Text,
        because -> Nullable<Text>,
        cleared -> Bool,
        metadata -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    upload_pieces (upload_id, first) {
        upload_id -> Text,
        first -> BigInt,
        size -> BigInt,
        level -> Integer,
        key -> Text,
    }
}

diesel::table! {
    submissions (id) {
        id -> Text,
        form -> Text,
        version -> Integer,
        kind -> Text,
        revision -> Integer,
        content_hash -> Text,
        account_id -> Text,
        device_id -> Nullable<Text>,
        facility -> Nullable<Text>,
        verdict -> Text,
        media -> Text,
        review -> Text,
        received_at -> BigInt,
        changed_at -> BigInt,
        finished_at -> BigInt,
        province -> Nullable<Text>,
        division -> Nullable<Text>,
        district -> Nullable<Text>,
        tehsil -> Nullable<Text>,
        lat -> Nullable<Double>,
        lon -> Nullable<Double>,
        edition -> Nullable<Text>,
        findings -> Integer,
        summary -> Text,
        queue_rank -> Integer,
    }
}

diesel::table! {
    revisions (submission_id, revision) {
        submission_id -> Text,
        revision -> Integer,
        content_hash -> Text,
        release_hash -> Text,
        account_id -> Text,
        device_id -> Nullable<Text>,
        received_at -> BigInt,
        content -> Binary,
        receipt -> Text,
    }
}

diesel::table! {
    place_tags (submission_id, revision, edition) {
        submission_id -> Text,
        revision -> Integer,
        tagged_at -> BigInt,
        status -> Text,
        edition -> Text,
        tag -> Text,
    }
}

diesel::table! {
    findings (submission_id, revision, position) {
        submission_id -> Text,
        revision -> Integer,
        position -> Integer,
        code -> Text,
        severity -> Text,
        row_key -> Nullable<Text>,
        provisional -> Bool,
        disclose -> Bool,
        due_at -> Nullable<BigInt>,
        refer_to -> Nullable<Text>,
    }
}

diesel::table! {
    quarantine (id) {
        id -> Text,
        submission_id -> Text,
        content_hash -> Text,
        account_id -> Text,
        device_id -> Nullable<Text>,
        received_at -> BigInt,
        reason -> Text,
        detail -> Text,
        raw -> Binary,
        released_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    finding_cases (id) {
        id -> Text,
        key -> Text,
        code -> Text,
        kind -> Text,
        facility -> Nullable<Text>,
        submission_id -> Text,
        revision -> Integer,
        subject -> Text,
        rule -> Text,
        state -> Text,
        cause -> Nullable<Text>,
        severity -> Text,
        provisional -> Bool,
        disclose -> Bool,
        refer_to -> Nullable<Text>,
        recurrence -> Integer,
        opened_at -> BigInt,
        visited_at -> BigInt,
        due_at -> BigInt,
        alarm_at -> Nullable<BigInt>,
        level -> Integer,
        breached_at -> Nullable<BigInt>,
        paused_at -> Nullable<BigInt>,
        paused_for -> BigInt,
        proposal -> Nullable<Text>,
        opened_by -> Text,
        filed_by -> Text,
        province -> Nullable<Text>,
        division -> Nullable<Text>,
        district -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    finding_events (finding_id, n) {
        finding_id -> Text,
        n -> Integer,
        at -> BigInt,
        account_id -> Nullable<Text>,
        deed -> Text,
        from_state -> Text,
        to_state -> Text,
        submission_id -> Nullable<Text>,
        revision -> Nullable<Integer>,
        comment -> Nullable<Text>,
        details -> Text,
    }
}

diesel::table! {
    referrals (id) {
        id -> Text,
        finding_id -> Text,
        kind -> Text,
        body -> Text,
        unit -> Nullable<Text>,
        state -> Text,
        basis -> Text,
        basis_note -> Text,
        approval -> Nullable<Text>,
        part -> Text,
        voice -> Nullable<Text>,
        sent_by -> Text,
        sent_at -> BigInt,
        answer_by -> BigInt,
        alarm_at -> Nullable<BigInt>,
        answered_at -> Nullable<BigInt>,
        answered_by -> Nullable<Text>,
        reason -> Nullable<Text>,
        case_number -> Nullable<Text>,
        outcome -> Nullable<Text>,
        done_at -> Nullable<BigInt>,
        province -> Nullable<Text>,
        division -> Nullable<Text>,
        district -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    review_events (submission_id, n) {
        submission_id -> Text,
        n -> Integer,
        id -> Text,
        revision -> Integer,
        action -> Text,
        decided_by -> Text,
        role -> Text,
        decided_at -> BigInt,
        reason -> Nullable<Text>,
        notes -> Nullable<Text>,
        comments -> Text,
        due_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    review_answers (submission_id, n) {
        submission_id -> Text,
        n -> Integer,
        id -> Text,
        revision -> Integer,
        answered_by -> Text,
        role -> Text,
        answered_at -> BigInt,
        answers -> Text,
        said -> Text,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        subject -> Text,
        details -> Text,
        once_key -> Nullable<Text>,
        state -> Text,
        attempts -> Integer,
        due_at -> BigInt,
        created_at -> BigInt,
        claim -> Nullable<Text>,
        again -> Bool,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    changes (seq) {
        seq -> BigInt,
        xid -> BigInt,
        at -> BigInt,
        what -> Text,
        subject -> Text,
        audience -> Text,
    }
}

diesel::table! {
    feed_epochs (epoch) {
        epoch -> BigInt,
    }
}

diesel::table! {
    photos (sha256) {
        sha256 -> Text,
        state -> Text,
        why -> Nullable<Text>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        orientation -> Nullable<Integer>,
        taken_at -> Nullable<Text>,
        lat -> Nullable<Double>,
        lon -> Nullable<Double>,
        position_error_m -> Nullable<Double>,
        make -> Nullable<Text>,
        model -> Nullable<Text>,
        copy_size -> Nullable<BigInt>,
        thumb_size -> Nullable<BigInt>,
        understood_at -> BigInt,
    }
}

diesel::table! {
    facilities (id) {
        id -> Text,
        code -> Text,
        kind -> Text,
        line -> Text,
        status -> Text,
        name_en -> Nullable<Text>,
        name_ur -> Nullable<Text>,
        facts -> Text,
        content_hash -> Text,
        revision -> Integer,
        touched -> Integer,
        merged_into -> Nullable<Text>,
        merged_directly -> Nullable<Text>,
        status_before -> Nullable<Text>,
        lat -> Nullable<Double>,
        lon -> Nullable<Double>,
        accuracy_m -> Nullable<Double>,
        cell -> Nullable<Integer>,
        zone -> Nullable<Integer>,
        province -> Nullable<Text>,
        division -> Nullable<Text>,
        district -> Nullable<Text>,
        tehsil -> Nullable<Text>,
        edition -> Nullable<Text>,
        capacity -> Nullable<Integer>,
        risk -> Nullable<Text>,
        last_visited_at -> Nullable<BigInt>,
        visit_count -> Integer,
        registered_by -> Nullable<Text>,
        registered_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    late_flags (submission_id, revision, code, subject) {
        submission_id -> Text,
        revision -> Integer,
        code -> Text,
        subject -> Text,
        figures -> Text,
        raised_at -> BigInt,
    }
}

diesel::table! {
    facility_events (facility_id, n) {
        facility_id -> Text,
        n -> Integer,
        at -> BigInt,
        account_id -> Nullable<Text>,
        device_id -> Nullable<Text>,
        action -> Text,
        revision -> Integer,
        content_hash -> Nullable<Text>,
        facts -> Nullable<Text>,
        other -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    facility_registrations (facility_id, position) {
        facility_id -> Text,
        position -> Integer,
        body -> Text,
        number -> Nullable<Text>,
        valid_from -> Nullable<Text>,
        valid_to -> Nullable<Text>,
    }
}

diesel::table! {
    facility_links (facility_id, other_id, relation) {
        facility_id -> Text,
        other_id -> Text,
        relation -> Text,
    }
}

diesel::table! {
    facility_visits (submission_id) {
        submission_id -> Text,
        facility_id -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    facility_words (word, facility_id) {
        word -> Text,
        facility_id -> Text,
    }
}

diesel::table! {
    facility_trigrams (trigram, word) {
        trigram -> Text,
        word -> Text,
    }
}

diesel::table! {
    facility_series (series) {
        series -> Text,
        last -> BigInt,
    }
}

diesel::table! {
    assignments (id) {
        id -> Text,
        form -> Text,
        kind -> Text,
        line -> Text,
        facility -> Text,
        province -> Nullable<Text>,
        division -> Nullable<Text>,
        district -> Nullable<Text>,
        pool -> Nullable<Text>,
        origin -> Text,
        origin_id -> Nullable<Text>,
        assignee -> Nullable<Text>,
        not_for -> Text,
        findings -> Text,
        reason -> Text,
        from_at -> BigInt,
        due_at -> BigInt,
        counts_from -> BigInt,
        state -> Text,
        completed_by -> Nullable<Text>,
        completed_account -> Nullable<Text>,
        completed_at -> Nullable<BigInt>,
        cancelled_because -> Nullable<Text>,
        made_at -> BigInt,
        made_by -> Nullable<Text>,
        once -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    assignment_events (assignment_id, n) {
        assignment_id -> Text,
        n -> Integer,
        at -> BigInt,
        account_id -> Nullable<Text>,
        deed -> Text,
        state -> Text,
        submission_id -> Nullable<Text>,
        reason -> Nullable<Text>,
        details -> Text,
    }
}

diesel::table! {
    notices (id) {
        id -> Text,
        event -> Text,
        kind -> Text,
        subject -> Text,
        n -> Integer,
        code -> Text,
        link -> Text,
        unit -> Nullable<Text>,
        urgent -> Bool,
        line -> Nullable<Text>,
        province -> Nullable<Text>,
        division -> Nullable<Text>,
        district -> Nullable<Text>,
        occurred_at -> BigInt,
        noted_at -> BigInt,
        people -> Integer,
    }
}

diesel::table! {
    deliveries (id) {
        id -> Text,
        notice_id -> Text,
        channel -> Text,
        recipient -> Text,
        subject -> Text,
        n -> Integer,
        bundle -> Text,
        state -> Text,
        attempts -> Integer,
        due_at -> BigInt,
        created_at -> BigInt,
        since -> Nullable<BigInt>,
        done_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    notice_settings (account_id) {
        account_id -> Text,
        email -> Nullable<Text>,
        rhythm -> Text,
        hour -> Integer,
        language -> Text,
        changed_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
        confirm_nonce -> Nullable<Text>,
        confirm_until -> Nullable<BigInt>,
        confirm_tries -> Integer,
        letter_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    webhooks (id) {
        id -> Text,
        name -> Text,
        url -> Text,
        kinds -> Text,
        areas -> Text,
        line -> Nullable<Text>,
        enabled -> Bool,
        disabled_because -> Nullable<Text>,
        secret -> Text,
        made_by -> Nullable<Text>,
        made_at -> BigInt,
        changed_at -> BigInt,
        failures -> Integer,
        failing_since -> Nullable<BigInt>,
        resume_at -> Nullable<BigInt>,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    pulse (id) {
        id -> Text,
    }
}

diesel::table! {
    login_buckets (key) {
        key -> Text,
        empty_at -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        registered_at -> BigInt,
    }
}

// What packed values have in common.
diesel::table! {
    likenesses (digest) {
        digest -> Text,
        release_hash -> Text,
        text -> Binary,
    }
}

// Which transactions of PostgreSQL stand.
diesel::table! {
    commit_marks (id) {
        id -> Text,
        n -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    form_bases (hash) {
        hash -> Text,
        form -> Text,
        version -> Integer,
        source -> Text,
        note -> Text,
        added_at -> BigInt,
        added_by -> Nullable<Text>,
        package -> Binary,
        cases -> Binary,
    }
}

diesel::table! {
    drafts (id) {
        id -> Text,
        form -> Text,
        title -> Text,
        author -> Text,
        state -> Text,
        version -> Integer,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    draft_versions (draft_id, n) {
        draft_id -> Text,
        n -> Integer,
        at -> BigInt,
        account_id -> Nullable<Text>,
        how -> Text,
        base -> Text,
        title -> Text,
        content -> Binary,
    }
}

diesel::table! {
    proposals (id) {
        id -> Text,
        form -> Text,
        title -> Text,
        author -> Text,
        draft_id -> Text,
        state -> Text,
        n -> Integer,
        hash -> Text,
        package_hash -> Text,
        created_at -> BigInt,
        opened_at -> Nullable<BigInt>,
        closes_at -> Nullable<BigInt>,
        decided_at -> Nullable<BigInt>,
        release_version -> Nullable<Integer>,
        minutes_hash -> Nullable<Text>,
        version -> Integer,
        heads_required -> Text,
    }
}

diesel::table! {
    proposal_versions (proposal_id, n) {
        proposal_id -> Text,
        n -> Integer,
        hash -> Text,
        package_hash -> Text,
        frozen_at -> BigInt,
        frozen_by -> Nullable<Text>,
        draft_version -> Integer,
        against -> Integer,
        content -> Binary,
    }
}

diesel::table! {
    proposal_comments (id) {
        id -> Text,
        proposal_id -> Text,
        n -> Integer,
        at -> BigInt,
        account_id -> Text,
        answers -> Nullable<Text>,
        question -> Nullable<Text>,
        body -> Text,
    }
}

diesel::table! {
    committee_members (id) {
        id -> Text,
        account_id -> Text,
        role -> Text,
        from_at -> BigInt,
        until_at -> Nullable<BigInt>,
        basis -> Text,
        appointed_at -> BigInt,
        appointed_by -> Nullable<Text>,
        ended_because -> Nullable<Text>,
    }
}

diesel::table! {
    committee_keys (id) {
        id -> Text,
        account_id -> Text,
        public_key -> Text,
        state -> Text,
        registered_at -> BigInt,
        confirmed_by -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    consents (proposal_id, n, head) {
        proposal_id -> Text,
        n -> Integer,
        head -> Text,
        answer -> Text,
        account_id -> Text,
        reason -> Text,
        hash -> Text,
        signed_at -> Text,
        received_at -> BigInt,
        key_id -> Text,
        signature -> Text,
    }
}

diesel::table! {
    votes (proposal_id, n, account_id, casting) {
        proposal_id -> Text,
        n -> Integer,
        account_id -> Text,
        casting -> Bool,
        vote -> Text,
        reason -> Text,
        dissent -> Nullable<Text>,
        hash -> Text,
        signed_at -> Text,
        received_at -> BigInt,
        key_id -> Text,
        signature -> Text,
    }
}

diesel::table! {
    minutes (hash) {
        hash -> Text,
        proposal_id -> Text,
        n -> Integer,
        kind -> Text,
        at -> BigInt,
        document -> Binary,
    }
}

diesel::table! {
    break_glass (id) {
        id -> Text,
        proposal_id -> Text,
        n -> Integer,
        hash -> Text,
        reason -> Text,
        asked_by -> Text,
        asked_at -> BigInt,
        expires_at -> BigInt,
        state -> Text,
        settled_by -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
        signature -> Nullable<Text>,
        key_id -> Nullable<Text>,
    }
}

diesel::table! {
    rollout_events (form, n) {
        form -> Text,
        n -> Integer,
        version -> Integer,
        at -> BigInt,
        account_id -> Nullable<Text>,
        deed -> Text,
        details -> Text,
    }
}

diesel::table! {
    replays (id) {
        id -> Text,
        form -> Text,
        package_hash -> Text,
        asked -> Text,
        package -> Binary,
        asked_by -> Nullable<Text>,
        asked_at -> BigInt,
        state -> Text,
        total -> BigInt,
        done -> BigInt,
        last_id -> Text,
        bound -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
        report -> Nullable<Binary>,
        report_hash -> Nullable<Text>,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    replay_parts (replay_id, n) {
        replay_id -> Text,
        n -> Integer,
        tally -> Binary,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    account_areas,
    devices,
    sessions,
    refresh_tokens,
    audit_events,
    audit_unsealed,
    audit_seals,
    releases,
    boundary_sets,
    boundary_areas,
    media_objects,
    submission_media,
    uploads,
    upload_pieces,
    submissions,
    revisions,
    place_tags,
    findings,
    quarantine,
    finding_cases,
    finding_events,
    referrals,
    assignments,
    assignment_events,
    review_events,
    review_answers,
    jobs,
    changes,
    feed_epochs,
    photos,
    late_flags,
    facilities,
    facility_events,
    facility_registrations,
    facility_links,
    facility_visits,
    facility_words,
    facility_trigrams,
    facility_series,
    notices,
    deliveries,
    notice_settings,
    webhooks,
    pulse,
    login_buckets,
    signing_keys,
    commit_marks,
    likenesses,
    form_bases,
    drafts,
    draft_versions,
    proposals,
    proposal_versions,
    proposal_comments,
    committee_members,
    committee_keys,
    votes,
    consents,
    minutes,
    break_glass,
    rollout_events,
    replays,
    replay_parts
);
