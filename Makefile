# `make` alone lists the targets. Each is a script under compose/, which can be run by itself.

.DEFAULT_GOAL := help
.PHONY: help up down test fault bench lint format

help: ## Lists the targets.
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s%s\n", $$1, $$2 }'

up: ## Installs, builds and starts everything on this machine, and sends it signals.
	@compose/up

down: ## Stops what `make up` started, and nothing else.
	@compose/down

test: ## Runs every test of one machine on private servers; FILTER=… runs some.
	@FILTER='$(FILTER)' compose/test

fault: ## Runs rounds of faults on a RabbitMQ cluster and a Postgres pair; needs root.
	@compose/fault

bench: ## Measures runs per second, latency, CPU and memory.
	@compose/bench

lint: ## Checks form, warnings, shell scripts and paths.
	@compose/lint

format: ## Formats the Swift sources in place.
	@swift format --in-place --recursive --parallel $(wildcard Package.swift Services Shared Tests)
