with

acts as (

    select * from {{ ref('int_acts__weighed') }}
    where
        may_use_for_insights
        and act_kind in ('play', 'rating')

),

titles as (

    select * from {{ ref('titles') }}

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

member_genre_days as (

    select
        days.member_id,
        days.acted_on,
        days.play_count,
        days.watched_seconds,
        days.rating_count,
        {{ each(sorted_set('titles.genres')) }} as genre

    from member_title_days as days

    inner join titles
        on days.title_id = titles.title_id

),

trends as (

    select

        ---------- dates
        acted_on,

        ---------- text
        genre,

        ---------- numerics
        count(distinct member_id) as member_count,
        cast(sum(play_count) as bigint) as play_count,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        cast(sum(rating_count) as bigint) as rating_count

    from member_genre_days
    group by acted_on, genre
    having {{ at_least_members() }}

)

select * from trends
