-- Shares of what a member's acts say, faded with age. A share does not change when everything fades alike,
-- so age is counted from the member's latest act: the weights stay whole numbers, and sums exact.
with

described as (

    select * from {{ ref('int_signals__described') }}

),

traits as (

    select * from {{ ref('int_traits__numbered') }}

),

latest as (

    select
        observed.member_id,
        observed.observed_on,
        max(cast(signals.interacted_at as date)) as latest_interacted_on

    from {{ ref('int_members__observed') }} as observed

    left join {{ ref('member_title_signals') }} as signals
        on
            observed.member_id = signals.member_id
            and signals.observed_at <= observed.observed_on

    group by observed.member_id, observed.observed_on

),

moments as (

    select
        *,

        cast(row_number() over (order by member_id, observed_on) as integer) as moment_number

    from latest

),

numbered as (

    select
        described.member_id,
        described.observed_on,
        described.interacted_on,
        described.signal_milli,
        traits.trait_number

    from described

    inner join traits
        on
            described.trait_kind = traits.trait_kind
            and described.trait = traits.trait

),

{% set age_days = days_between('numbered.interacted_on', 'moments.latest_interacted_on') -%}
{% set half_life_days = var('recency_half_life_days') -%}

faded as (

    select
        moments.moment_number,
        numbered.trait_number,

        -- In millionths, so nothing is left of an act after 21 half-lives.
        cast(
            sum(
                numbered.signal_milli
                * cast(
                    round(1000000 * power(0.5, cast({{ age_days }} as double) / {{ half_life_days }}))
                    as bigint
                )
            ) as bigint
        ) as signal

    from moments

    inner join numbered
        on
            moments.member_id = numbered.member_id
            and moments.observed_on >= numbered.observed_on
            and {{ age_days }} < 21 * {{ half_life_days }}

    group by moments.moment_number, numbered.trait_number

),

ranked as (

    select
        faded.moment_number,
        faded.signal,
        traits.trait_kind,
        traits.trait,

        row_number() over (
            partition by faded.moment_number, traits.trait_kind
            order by faded.signal desc, faded.trait_number asc
        ) as trait_rank,

        cast(
            sum(faded.signal) over (partition by faded.moment_number, traits.trait_kind) as bigint
        ) as signal_total

    from faded

    inner join traits
        on faded.trait_number = traits.trait_number

    where faded.signal > 0

),

strongest as (

    select
        moment_number,
        trait_kind,
        trait,
        trait_rank,
        -- Cut, not rounded: shares never add up to more than 1.
        cast(
            floor(1000000 * (cast(signal as double) / cast(signal_total as double))) / 1000000
            as float
        ) as affinity

    from ranked
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
        {% set of_kind = "strongest.trait_kind = '" ~ kind ~ "'" -%}
        {{ ordered_list(
            'strongest.trait', by='strongest.trait_rank', type='varchar', where=of_kind
        ) }} as {{ traits }},
        {{ ordered_list(
            'strongest.affinity', by='strongest.trait_rank', type='float', where=of_kind
        ) }} as {{ affinities }},
        {% endfor %}
        ---------- timestamps (UTC)
        cast(moments.observed_on as timestamp) as observed_at

    from moments

    left join strongest
        on moments.moment_number = strongest.moment_number

    group by moments.member_id, moments.observed_on

)

select * from tastes
