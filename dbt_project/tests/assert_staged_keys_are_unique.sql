-- A failure means that a row was staged or rejected twice, or that two deliveries of one row both count.
-- One test for the tables of all streams: a test of each would take longer to start than to run.
{%- set is_new = changed_since_tested(none, 'batch', 'batch') if execute else 'true' %}
{%- set place = ['file', 'line'] %}

with

{% for stream, one in streams().items() -%}
{%- set base = ref('base_' ~ one.source ~ '__' ~ stream) -%}
{%- set key = ['landed_on'] + one.key if one.key else ['event_id'] -%}
{#- A new row may share its file or its event with an old one, not its batch or its day of a snapshot. -#}
{%- for name, relation, shared in [
    ('base_file', base, 'file'), ('base_event', base, 'event_id'),
    ('staged', ref('stg_' ~ one.source ~ '__' ~ stream), none), ('rejected', ref('rejected_' ~ stream), none),
] if not (one.key and name == 'base_event') -%}
{{ stream }}_{{ name }} as (

    select * from {{ relation }}
    {% if shared -%}
    where {{ shared }} in (select {{ shared }} from {{ relation }} where {{ is_new }})
    {%- else -%}
    where {{ is_new }}
    {%- endif %}

),

{% endfor -%}
{%- endfor -%}

failures as (

    {% for stream, one in streams().items() -%}
    {%- set base = 'base_' ~ one.source ~ '__' ~ stream -%}
    {{ key_failures(stream ~ '_base_file', place, table=base) }}
    union all
    {% if not one.key -%}
    {{ key_failures(stream ~ '_base_event', ['event_id', 'delivery_number'], table=base) }}
    union all
    {% endif -%}
    {{ key_failures(
        stream ~ '_staged', ['landed_on'] + one.key if one.key else ['event_id'],
        nullable=one.nullable or [], table='stg_' ~ one.source ~ '__' ~ stream
    ) }}
    union all
    {{ key_failures(stream ~ '_rejected', place, table='rejected_' ~ stream) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from failures
