{% snapshot snap_members %}
-- Dated by the snapshot that brought the version, never by the clock; versions between two nights are in
-- int_members__versioned.
{{
    config(
        unique_key='member_id',
        strategy='timestamp',
        updated_at='known_from_at',
        group='personalisation'
    )
}}

select
    * exclude (known_until),
    cast(known_from as timestamp) as known_from_at

from {{ ref('int_members__versioned') }}
where known_until is null
{% endsnapshot %}
