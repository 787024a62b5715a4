-- Shares of what a member's acts say, faded with age. A share does not change when everything fades alike,
-- so age is counted from the member's latest act: the weights stay whole numbers, and sums exact.
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
described as (

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

traits as (

    {% for kind, list in [('genre', 'genres'), ('person', 'people'), ('theme', 'themes')] -%}
    select
        member_id,
        observed_on,
        interacted_on,
        '{{ kind }}' as trait_kind,
        {{ each(list) }} as trait,
        signal_milli

    from described
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

trait_days as (

    select
        member_id,
        observed_on,
        interacted_on,
        trait_kind,
        trait,
        sum(signal_milli) as signal_milli

    from traits
    group by member_id, observed_on, interacted_on, trait_kind, trait

),

moments as (

    select
        observed.member_id,
        observed.observed_on,
        max(signals.interacted_on) as latest_interacted_on

    from {{ ref('int_members__observed') }} as observed

    left join signals
        on
            observed.member_id = signals.member_id
            and observed.observed_on >= signals.observed_on

    group by observed.member_id, observed.observed_on

),

faded as (

    select
        moments.member_id,
        moments.observed_on,
        trait_days.trait_kind,
        trait_days.trait,

        -- Millionths, so that twenty half-lives still leave a trace.
        sum(
            trait_days.signal_milli
            * cast(
                round(
                    1000000 * power(
                        0.5,
                        cast(
                            {{ days_between(
                                'trait_days.interacted_on', 'moments.latest_interacted_on'
                            ) }} as double
                        ) / {{ var('recency_half_life_days') }}
                    )
                ) as bigint
            )
        ) as signal

    from moments

    inner join trait_days
        on
            moments.member_id = trait_days.member_id
            and moments.observed_on >= trait_days.observed_on

    group by moments.member_id, moments.observed_on, trait_days.trait_kind, trait_days.trait

),

ranked as (

    select
        member_id,
        observed_on,
        trait_kind,
        trait,

        row_number() over (
            partition by member_id, observed_on, trait_kind
            order by signal desc, trait
        ) as trait_rank,

        cast(
            round(
                cast(signal as double)
                / cast(
                    sum(signal) over (partition by member_id, observed_on, trait_kind) as double
                ),
                6
            ) as float
        ) as affinity

    from faded
    where signal > 0

),

strongest as (

    select * from ranked
    where trait_rank <= 8

),

tastes as (

    select

        ---------- ids
        moments.member_id,

        ---------- lists
        {% for kind, traits, affinities in [
            ('genre', 'genres', 'genre_affinities'),
            ('person', 'people', 'person_affinities'),
            ('theme', 'themes', 'theme_affinities'),
        ] -%}
        {{ ordered_list(
            'strongest.trait', by='strongest.trait_rank', type='varchar',
            where="strongest.trait_kind = '" ~ kind ~ "'"
        ) }} as {{ traits }},
        {{ ordered_list(
            'strongest.affinity', by='strongest.trait_rank', type='float',
            where="strongest.trait_kind = '" ~ kind ~ "'"
        ) }} as {{ affinities }},
        {% endfor %}
        ---------- timestamps (UTC)
        cast(moments.observed_on as timestamp) as observed_at

    from moments

    left join strongest
        on
            moments.member_id = strongest.member_id
            and moments.observed_on = strongest.observed_on

    group by moments.member_id, moments.observed_on

)

select * from tastes
