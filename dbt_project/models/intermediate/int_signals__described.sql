-- What each day of a member says about genres, people and themes.
with

signals as (

    select
        member_id,
        title_id,
        signal_milli,
        cast(interacted_at as date) as interacted_on,
        cast(observed_at as date) as observed_on

    from {{ ref('member_title_signals') }}
    where signal_milli <> 0

),

versions as (

    select * from {{ ref('int_titles__versioned') }}

),

-- What the title was said to be when the act arrived, or at first if it arrived before that.
joined as (

    select
        signals.*,
        versions.genres,
        versions.people,
        versions.themes

    from signals

    inner join versions
        on
            signals.title_id = versions.title_id
            and (signals.observed_on > versions.known_from or versions.version = 1)
            and (signals.observed_on <= versions.known_until or versions.known_until is null)

),

described as (

    {% for kind, list in [('genre', 'genres'), ('person', 'people'), ('theme', 'themes')] -%}
    select
        member_id,
        observed_on,
        interacted_on,
        '{{ kind }}' as trait_kind,
        {{ each(list) }} as trait,
        signal_milli

    from joined
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

summed as (

    select
        member_id,
        observed_on,
        interacted_on,
        trait_kind,
        trait,
        cast(sum(signal_milli) as bigint) as signal_milli

    from described
    group by member_id, observed_on, interacted_on, trait_kind, trait

)

select * from summed
