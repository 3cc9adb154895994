"""How long training a net would take on a machine with accelerators: modelled from its counted operations.

``seconds = flop / (peak x achieved share) + optimiser steps x time to start a step + host share x measured
CPU-seconds``. The first part is what large nets wait for, the second what small ones do: a net of a few
thousand weights starts hundreds of steps and keeps an accelerator busy for hardly any of their time. The
third is what no accelerator does (encoding, shuffling, the rules that teach a hybrid), after Amdahl.
Predictions are made on a processor, as they are when they are measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Finding
from toolkit.analysis.spending import Spread
from toolkit.prices import Hardware

__all__ = ["Accelerated", "accelerate", "check_accelerators"]


@dataclass(frozen=True)
class Accelerated:
    """Seconds for which the accelerators of a machine work, and what stays on its processor.

    Parameters
    ----------
    fit : Spread
        One training.
    search : Spread or None
        One search: as much faster than on a processor as the training is. None where that is not known.
    host_share : Spread
        Share of the measured CPU-seconds of either that is done by the processor of the same machine.
    """

    fit: Spread
    search: Spread | None
    host_share: Spread


def accelerate(readings: RungReadings, profile: Hardware) -> Accelerated | None:
    """Return what the accelerators of a machine make of a rung's work; None where it is no net's.

    Parameters
    ----------
    readings : RungReadings
    profile : Hardware
    """
    device = profile.accelerator
    flop, steps = readings.median("cost_fit_flop"), readings.chosen("steps")
    if device is None or not flop or not steps:
        return None

    ends = zip(reversed(device.achieved), device.step_seconds, strict=True)
    fit = Spread(*(flop / (device.peak_flops * share) + steps * start for share, start in ends))
    fit_cpu = readings.median("cost_fit_cpu_seconds")
    search_cpu = readings.median("cost_search_cpu_seconds")
    return Accelerated(
        fit=fit,
        search=Spread(*(search_cpu * each / fit_cpu for each in fit)) if search_cpu and fit_cpu else None,
        host_share=Spread(*device.host_share),
    )


def check_accelerators(
    entering: Mapping[str, RungReadings], profile: Hardware, host: Hardware
) -> Iterator[Finding]:
    """Yield for each net of the verdict whether accelerators are modelled to be faster than a processor.

    Parameters
    ----------
    entering : mapping of str to RungReadings
        Track -> the rung of the verdict.
    profile, host : Hardware
        The machine that is priced, and the one that the other tracks run on.
    """
    if profile.accelerator is None:
        return
    others = []
    for track, readings in entering.items():
        found, cpu = accelerate(readings, profile), readings.median("cost_fit_cpu_seconds")
        if found is None:
            others.append(track)
        elif cpu is not None:
            ends = zip(found.fit, found.host_share, strict=True)
            fit = Spread(*(seconds + share * cpu for seconds, share in ends))
            yield Finding("accelerator", "info", _faster(track, fit, cpu, profile))
    if others:
        yield Finding(
            "accelerator_host",
            "info",
            f"{', '.join(others)} train no net with counted steps and are priced on a processor: "
            f"{host.title}",
        )


def _faster(track: str, fit: Spread, cpu: float, profile: Hardware) -> str:
    if fit.low >= cpu:
        told = "it is no faster there"
    elif fit.high <= cpu:
        told = f"it is {cpu / fit.high:.2g} to {cpu / fit.low:.2g} times as fast there"
    else:
        told = "whether it is faster there is open"
    return (
        f"one training of {track} is modelled to take {fit.mid:.2g} s ({fit.low:.2g} to {fit.high:.2g} s) on "
        f"{profile.title}, against {cpu:.2g} s measured on one core: {told}; the whole machine is paid for "
        "meanwhile"
    )
