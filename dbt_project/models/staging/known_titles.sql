-- Every title any snapshot ever named: what an event may speak of.
select distinct title_id from {{ ref('base_catalogue__titles') }}
