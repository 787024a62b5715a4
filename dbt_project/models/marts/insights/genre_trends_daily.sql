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

act_genres as (

    select
        acts.member_id,
        acts.act_kind,
        acts.watched_seconds,
        cast(acts.event_at as date) as acted_on,
        {{ each(sorted_set('titles.genres')) }} as genre

    from acts

    inner join titles
        on acts.title_id = titles.title_id

),

trends as (

    select

        ---------- dates
        acted_on,

        ---------- text
        genre,

        ---------- numerics
        count(distinct member_id) as member_count,
        count(*) filter (where act_kind = 'play') as play_count,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        count(*) filter (where act_kind = 'rating') as rating_count

    from act_genres
    group by acted_on, genre
    having {{ at_least_members() }}

)

select * from trends
