-- A failure means that rows were received and are in no table: staging has lost them, or counted them
-- twice. Nothing built on that stream can be trusted until `matinee run --full-refresh` agrees.
{{ config(meta={'failure': 'integrity'}) }}

select
    *,
    file || ': ' || received_count || ' rows received, ' || staged_count || ' staged, '
    || rejected_count || ' rejected, ' || exact_repeat_count || ' repeated' as failure

from {{ ref('received_file_counts') }}
where received_count <> staged_count + rejected_count + exact_repeat_count
