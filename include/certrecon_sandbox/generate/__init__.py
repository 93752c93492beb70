"""The generator: the same spec gives the same world, and every finding of the catalogue in it."""

from __future__ import annotations

import gc

from certrecon_sandbox.generate.calendar import Calendar
from certrecon_sandbox.generate.certificates import add_certificates
from certrecon_sandbox.generate.persons import add_persons
from certrecon_sandbox.generate.tenants import add_bystanders, add_tenants
from certrecon_sandbox.world import World, WorldSpec


def generate_world(spec: WorldSpec) -> World:
    """Make the world of `spec`."""
    collected = gc.isenabled()
    gc.disable()  # millions of young rows would be walked again and again
    try:
        world = World(spec)
        calendar = Calendar(spec.today)
        tenants = add_tenants(world)
        persons = add_persons(world, tenants, calendar)
        add_certificates(world, tenants, persons, calendar)
        add_bystanders(world, calendar)
        return world
    finally:
        if collected:
            gc.enable()
