"""Two tests of a Central System that runs at --ocpp16-url."""


def test_a_known_card_charges(charge_point):
    charge_point.wait_registered()
    charge_point.plug_in(1)
    charge_point.present_id_tag("CARD1")
    started = charge_point.wait_sent("StartTransaction")
    assert started.answer["idTagInfo"]["status"] == "Accepted"
    charge_point.wait_status(1, "Charging")
    charge_point.unplug(1)
    assert charge_point.wait_sent("StopTransaction").payload["reason"] == "EVDisconnected"


def test_an_unknown_card_does_not(charge_point):
    charge_point.wait_registered()
    charge_point.plug_in(1)
    charge_point.present_id_tag("STRANGER")
    assert charge_point.wait_sent("Authorize").answer["idTagInfo"]["status"] == "Invalid"
    charge_point.wait_absent("StartTransaction")
