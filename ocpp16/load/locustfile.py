"""What `ocpp16 load --locust-master` and `--locust-worker` give to Locust; a file of one's own can be as short."""

from ocpp16.load.locust import ChargePointUser


class ChargePoint(ChargePointUser):
    """The host of Locust is the address of the Central System."""
