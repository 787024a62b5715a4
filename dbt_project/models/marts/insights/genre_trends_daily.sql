{{ config(
    materialized='incremental',
    meta={'changes': {'column': 'acted_on', 'clock': 'event', 'member_id': none}}
) }}

with

acts as (

    select * from {{ ref('int_acts__closed') }}
    where {{ may_differ('cast(event_at as date)', 'event', member_id=none) }}

),

titles as (

    select * from {{ ref('int_titles__versioned') }}

),

member_title_days as (

    select
        member_id,
        title_id,
        cast(event_at as date) as acted_on,
        {{ capped_acts("count(*) filter (where act_kind = 'play')") }} as play_count,
        least(sum(watched_seconds), 86400) as watched_seconds,
        {{ capped_acts("count(*) filter (where act_kind = 'rating')") }} as rating_count

    from acts
    group by member_id, title_id, cast(event_at as date)

),

title_genres as (

    select
        title_id,
        version,
        known_from,
        known_until,
        {{ each('genres') }} as genre

    from titles

),

member_genre_days as (

    select
        days.member_id,
        days.acted_on,
        genres.genre,
        sum(days.play_count) as play_count,
        sum(days.watched_seconds) as watched_seconds,
        sum(days.rating_count) as rating_count

    from member_title_days as days

    inner join title_genres as genres
        on
            days.title_id = genres.title_id
            and {{ as_told('genres', 'days.acted_on') }}

    group by days.member_id, days.acted_on, genres.genre

),

trends as (

    select

        ---------- dates
        acted_on,

        ---------- text
        genre,

        ---------- numerics
        count(distinct member_id) as member_count,
        {{ told('play_count') }} as play_count,
        {{ told('watched_seconds') }} as watched_seconds,
        {{ told('rating_count') }} as rating_count

    from member_genre_days
    group by acted_on, genre
    having {{ at_least_members() }}

)

select * from trends
