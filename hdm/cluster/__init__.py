"""Work on many pictures, spread over the processes of a Dask cluster where a setting names one."""
