{#- The tables that hold what members did, each with its column that names a title. -#}
{% macro bases_of_acts() -%}
    {{ return({
        'base_playback__plays': 'title_id',
        'base_playback__impressions': 'title_id',
        'base_engagement__ratings': 'title_id',
        'base_engagement__searches': 'clicked_title_id',
    }) }}
{%- endmacro %}
