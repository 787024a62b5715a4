{#- The newest batch this model has read, or -1. A number, not a subquery: only a literal lets the
    engine skip the folders of the batches before it. -#}
{% macro newest_staged_batch() %}
    {% if not execute %}
        {{ return(-1) }}
    {% endif %}
    {% set answer = run_query('select coalesce(max(batch), -1) as batch from ' ~ this) %}
    {{ return(answer.columns[0].values()[0] | int) }}
{% endmacro %}
