-- Every title that any snapshot ever had: an event of another title is rejected.
select distinct title_id from {{ ref('base_catalogue__titles') }}
