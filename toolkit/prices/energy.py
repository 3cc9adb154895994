"""Electrical energy, modelled from time: a power at rest, a power at work, and the power of memory.

The model is that of Cloud Carbon Footprint (methodology, "Energy Estimate (Watt-Hours)"): average watts =
minimum watts + utilisation x (maximum watts - minimum watts) for compute, a constant power per gigabyte for
memory, and the power usage effectiveness (PUE) of the building on top of both. Nothing is measured here.
"""

from __future__ import annotations

from toolkit.prices.bands import Band
from toolkit.prices.hardware import Hardware

__all__ = ["accelerator_joules", "energy_joules", "host_joules", "idle_joules"]


def energy_joules(
    cpu_seconds: float,
    wall_seconds: float,
    profile: Hardware,
    *,
    memory_bytes: float | None = None,
    vcpus: int = 1,
    pue: float = 1.0,
) -> Band:
    """Model the electrical energy of a piece of work on vCPUs; it is never measured here.

    ``E = cpu_s (Pmax - Pidle) + wall_s vcpus Pidle + wall_s GB 0.392 W``, times PUE, after the
    methodology of Cloud Carbon Footprint. Accelerators of the profile are left out: see
    `accelerator_joules`.

    Parameters
    ----------
    cpu_seconds, wall_seconds : float
    profile : Hardware
        Gives the power of a vCPU, with its band.
    memory_bytes : float, optional
        Memory that the work holds. At least the profile's memory per vCPU counts, as it does while a vCPU
        idles: memory draws power whether it is used or not.
    vcpus : int
        vCPUs held for the whole of `wall_seconds`.
    pue : float
        Power of the building over power of the machines, at least 1.

    Returns
    -------
    Band
        Joules: low, mid and high.
    """
    gigabytes = max(vcpus * profile.memory_gb / profile.vcpus, (memory_bytes or 0.0) / 1e9)
    memory = wall_seconds * gigabytes * profile.memory_watts_per_gb

    def joules(idle: float, full: float) -> float:
        return pue * (cpu_seconds * (full - idle) + wall_seconds * vcpus * idle + memory)

    return Band(*(joules(*watts) for watts in zip(profile.idle_watts, profile.max_watts, strict=True)))


def accelerator_joules(seconds: float, profile: Hardware, *, pue: float = 1.0) -> Band:
    """Model the electrical energy of a whole machine whose accelerators train or predict for `seconds`.

    ``E = seconds (Pmax_accelerators + (Pmax - Pidle) + vcpus Pidle + GB 0.392 W)``, times PUE: all devices
    at work, one vCPU that drives them, the others at rest, all memory. Cloud Carbon Footprint treats
    GPUs likewise, by a minimum and a maximum power (methodology, "Graphic Processing Units").

    Parameters
    ----------
    seconds : float
        Wall seconds for which the machine is held.
    profile : Hardware
        With an accelerator.
    pue : float
        Power of the building over power of the machines, at least 1.

    Returns
    -------
    Band
        Joules: low, mid and high.

    Raises
    ------
    ValueError
        The profile has no accelerator.
    """
    if profile.accelerator is None:
        raise ValueError(f"hardware profile '{profile.name}' has no accelerator; use energy_joules")
    return _held(seconds, profile, profile.accelerator.max_watts, pue)


def host_joules(seconds: float, profile: Hardware, *, pue: float = 1.0) -> Band:
    """Model the electrical energy of a whole machine of which one vCPU works and all else waits.

    As `accelerator_joules`, with the accelerators at rest.

    Parameters
    ----------
    seconds : float
        Wall seconds for which the machine is held.
    profile : Hardware
    pue : float
        Power of the building over power of the machines, at least 1.

    Returns
    -------
    Band
        Joules: low, mid and high.
    """
    return _held(seconds, profile, _resting_devices(profile), pue)


def _resting_devices(profile: Hardware) -> Band:
    """Return the watts of the accelerators at rest, 0 without any."""
    return Band(0.0, 0.0, 0.0) if profile.accelerator is None else profile.accelerator.idle_watts


def _held(seconds: float, profile: Hardware, devices: Band, pue: float) -> Band:
    """Return the energy of a machine that is held: one vCPU at work, the others at rest, all memory."""
    memory = profile.memory_gb * profile.memory_watts_per_gb
    rows = zip(profile.idle_watts, profile.max_watts, devices, strict=True)
    return Band(
        *(pue * seconds * (full + (profile.vcpus - 1) * idle + memory + each) for idle, full, each in rows)
    )


def idle_joules(vcpu_seconds: float, profile: Hardware, *, pue: float = 1.0) -> Band:
    """Model the electrical energy of capacity that is paid for and does nothing.

    ``E = vcpu_s (Pidle + GB 0.392 W / vcpus + Pidle_accelerators / vcpus)``, times PUE: each idle vCPU
    with its share of the memory and of the accelerators. A whole machine that idles for a second has
    `profile.vcpus` idle vCPU-seconds.

    Parameters
    ----------
    vcpu_seconds : float
        Paid vCPU-seconds without work: work x (1 / utilisation - 1).
    profile : Hardware
    pue : float
        Power of the building over power of the machines, at least 1.

    Returns
    -------
    Band
        Joules: low, mid and high.
    """
    devices = _resting_devices(profile)
    memory = profile.memory_gb * profile.memory_watts_per_gb
    watts = [
        idle + (memory + device) / profile.vcpus
        for idle, device in zip(profile.idle_watts, devices, strict=True)
    ]
    return Band(*(pue * vcpu_seconds * each for each in watts))
