{#- Members with an opinion that arrived on this day or later, by what is known now or by what this model was built
    from: everybody else's last act of the month is what it was. -#}
{% macro acted_since(day) -%}
(
    select member_id from {{ ref('int_member_title_days') }} where has_opinion and received_on >= {{ day }}
    union all
    select member_id from {{ this }} where observed_at > {{ day }}
)
{%- endmacro %}
