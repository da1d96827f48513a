"""A module for EVerest in the place of its OCPP 1.6 module: same manifest, same variables, commands and configuration.

    ocpp16 everest-module /opt/everest/libexec/everest/modules/OCPP16Python

lays the folder that EVerest's manager wants; `main` is what the file there calls. Nothing of EVerest's is imported
before that. docs/everest.md is for who comes from EVerest's own module.
"""

from ocpp16.everest.laying import Laid, lay
from ocpp16.everest.module import main

__all__ = ["Laid", "lay", "main"]
