{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'acted_on', 'clock': 'event', 'member_id': none}}
) }}

with

events as (

    select * from {{ ref('int_events__closed') }}
    where {{ may_be_changed('cast(event_at as date)', 'event', member_id=none) }}

),

titles as (

    select * from {{ ref('int_titles__versioned') }}

),

member_title_days as (

    select
        member_id,
        title_id,
        cast(event_at as date) as acted_on,
        {{ cap_count("count(*) filter (where event_kind = 'play')") }} as play_count,
        least(sum(watched_seconds), 86400) as watched_seconds,
        {{ cap_count("count(*) filter (where event_kind = 'rating')") }} as rating_count

    from events
    group by member_id, title_id, cast(event_at as date)

),

title_genres as (

    select
        title_id,
        version,
        known_from,
        known_until,
        {{ unnest_list('genres') }} as genre

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
            and {{ version_when_closed('genres', 'days.acted_on') }}

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
        {{ suppress_small_cells('play_count') }} as play_count,
        {{ suppress_small_cells('watched_seconds') }} as watched_seconds,
        {{ suppress_small_cells('rating_count') }} as rating_count

    from member_genre_days
    group by acted_on, genre
    having {{ has_enough_members() }}

)

select * from trends
