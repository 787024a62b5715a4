{#- The key of a model: no combination of these columns is there twice, and none is null but those in `nullable`. -#}
{% test unique_combination(model, columns, nullable=[]) %}
{{ key_failures(model, columns, nullable) }}
{% endtest %}
