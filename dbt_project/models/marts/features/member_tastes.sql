-- Shares of the signals of a member's recent events, which decay with age. One row a month, of the day after
-- the last event in it: a row a day would cost thirty times as much and be nearly the same.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'observed_at', 'clock': 'month', 'member_id': 'member_id'}},
    pre_hook="{{ set_parts('received_on', 'month') }}",
    post_hook="{{ insert_other_parts() }}"
) }}

{%- set days = var('taste_window_days') -%}
{%- set cap = signal_milli('cap') %}

with

signals as (

    select
        member_id,
        title_id,
        greatest(-({{ cap }}), least({{ cap }}, play_rating_signal_milli)) as signal_milli,
        cast(interacted_at as date) as interacted_on,
        {{ days_after('received_on', 1) }} as observed_on

    from {{ ref('int_member_title_days__summed') }}
    where
        has_play_or_rating
        and {{ may_be_changed('received_on', 'month', lookback_days=days + 1) }}
        and {{ in_part('member_id') }}

),

traits as (

    select * from {{ ref('int_traits__numbered') }}

),

title_traits as (

    select * from {{ ref('int_title_traits__unnested') }}

),

latest as (

    select
        member_id,
        max(observed_on) as observed_on

    from signals
    where {{ may_be_changed('observed_on', 'month') }}
    group by member_id, date_trunc('month', {{ days_after('observed_on', -1) }})

),

moments as (

    select
        *,
        cast(row_number() over (order by member_id, observed_on) as integer) as moment_number

    from latest

),

recalled as (

    select
        moments.moment_number,
        signals.title_id,
        signals.observed_on,

        -- In thousandths, so that nothing is left of an event after ten half-lives.
        signals.signal_milli * cast(
            round(
                1000 * power(
                    0.5,
                    cast({{ days_between('signals.interacted_on', 'moments.observed_on') }} as double)
                    / {{ var('recency_half_life_days') }}
                )
            ) as bigint
        ) as signal

    from moments

    inner join signals
        on
            moments.member_id = signals.member_id
            and moments.observed_on >= signals.observed_on
            and moments.observed_on < {{ days_after('signals.observed_on', days) }}

),

-- The version of the title that was known when the event arrived, or the first if it arrived before that.
faded as (

    select
        recalled.moment_number,
        title_traits.kind_number,
        title_traits.trait_number,
        cast(sum(recalled.signal) as bigint) as signal

    from recalled

    inner join title_traits
        on
            recalled.title_id = title_traits.title_id
            and (recalled.observed_on > title_traits.known_from or title_traits.version = 1)
            and (
                recalled.observed_on <= title_traits.known_until
                or title_traits.known_until is null
            )

    group by recalled.moment_number, title_traits.kind_number, title_traits.trait_number
    having sum(recalled.signal) > 0

),

-- Signal and name in one number, so that the strongest are found without sorting all.
strongest as (

    select
        moment_number,
        kind_number,
        cast(sum(signal) as bigint) as signal_total,
        {{ top_n('signal * 4194304 + 4194303 - trait_number', 8) }} as marks

    from faded
    group by moment_number, kind_number

),

marked as (

    select
        moment_number,
        signal_total,
        {{ unnest_list('marks') }} as mark

    from strongest

),

shares as (

    select
        marked.moment_number,
        traits.trait_kind,
        traits.trait,
        marked.mark,
        -- Cut, not rounded: shares never add up to more than 1.
        cast(
            floor(1000000 * (cast(marked.mark // 4194304 as double) / marked.signal_total))
            / 1000000 as float
        ) as affinity

    from marked

    inner join traits
        on 4194303 - marked.mark % 4194304 = traits.trait_number

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
        {% set of_kind = "shares.trait_kind = '" ~ kind ~ "'" -%}
        {{ ordered_list('shares.trait', by='-shares.mark', type='varchar', where=of_kind) }}
            as {{ traits }},
        {{ ordered_list('shares.affinity', by='-shares.mark', type='float', where=of_kind) }}
            as {{ affinities }},
        {% endfor %}
        ---------- timestamps (UTC)
        cast(moments.observed_on as timestamp) as observed_at

    from moments

    left join shares
        on moments.moment_number = shares.moment_number

    group by moments.member_id, moments.observed_on

)

select * from tastes
