with

deliveries as (

    {{ classified_deliveries('impressions') }}

),

accepted as (

    select

        ---------- ids
        event_id,
        member_id,
        impression_id,
        page_id,
        title_id,
        asset_id,
        policy_id,
        release_id,
        experiment_id,

        ---------- text
        country,
        device,
        row_kind,
        arm,
        interleave_team,

        ---------- lists
        candidate_asset_ids,

        ---------- numerics
        utc_offset_minutes,
        row_index,
        column_index,
        asset_propensity,
        slot_propensity,

        ---------- booleans
        is_exploration,
        was_clicked,

        ---------- timestamps (UTC)
        event_at,
        received_at,

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
