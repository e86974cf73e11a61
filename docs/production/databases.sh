#!/bin/sh
# A user and a database for each server; what is there already stays, but for the password.
# The image of PostgreSQL runs this when its volume is empty, plant.sh at every start.
# psql takes the passwords from the environment: a command line is seen by everybody.
set -eu
for name in prefect mlflow; do
    case $name in
        prefect) password=$PREFECT_DB_PASSWORD ;;
        mlflow) password=$MLFLOW_DB_PASSWORD ;;
    esac
    password=$password psql -qv ON_ERROR_STOP=1 -v name="$name" --username postgres <<-'SQL'
		\getenv password password
		SELECT format('CREATE ROLE %I LOGIN', :'name')
		    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
		ALTER ROLE :"name" PASSWORD :'password';
		SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
		    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
	SQL
done
