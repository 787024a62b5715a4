{% snapshot snap_titles %}
-- Dated by the snapshot that brought the version, never by the clock; versions between two nights are in
-- int_titles__versioned.
{{
    config(
        unique_key='title_id',
        strategy='timestamp',
        updated_at='known_from_at',
        group='personalisation'
    )
}}

select
    * exclude (known_until, version),
    cast(known_from as timestamp) as known_from_at

from {{ ref('int_titles__versioned') }}
where known_until is null
{% endsnapshot %}
