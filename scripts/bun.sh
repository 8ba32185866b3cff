#!/usr/bin/env bash
# Runs the Bun version this project is pinned to: the one on PATH if it is that version, else the npm package.
set -euo pipefail
version=1.4.5
if command -v bun >/dev/null 2>&1 && [ "$(bun --version 2>/dev/null)" = "$version" ]; then
  exec bun "$@"
fi
exec npx --yes "bun@$version" "$@"
