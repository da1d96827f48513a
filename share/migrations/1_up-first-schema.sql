-- The first schema.
-- Rows without a rowid: one tree per table means one page written per row, and rows lie in the order they are read in.

CREATE TABLE settings (
    charge_point_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (charge_point_id, key)
) WITHOUT ROWID;

CREATE TABLE availability (
    charge_point_id TEXT NOT NULL,
    connector_id INTEGER NOT NULL,
    availability TEXT NOT NULL,
    PRIMARY KEY (charge_point_id, connector_id)
) WITHOUT ROWID;

CREATE TABLE transactions (
    charge_point_id TEXT NOT NULL,
    key INTEGER NOT NULL,
    connector_id INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    id_tag TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    meter_start INTEGER NOT NULL,
    reservation_id INTEGER,
    clock_boot INTEGER NOT NULL,
    transaction_id INTEGER,
    start_given_up INTEGER NOT NULL,
    is_refused INTEGER NOT NULL,
    parent_id_tag TEXT,
    meter_last INTEGER NOT NULL,
    meter_last_at INTEGER NOT NULL,
    meter_last_clock_boot INTEGER NOT NULL,
    phase TEXT NOT NULL,
    stopped_at INTEGER,
    meter_stop INTEGER,
    stop_reason TEXT,
    id_tag_end TEXT,
    stop_clock_boot INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, key)
) WITHOUT ROWID;

CREATE TABLE message_queue (
    charge_point_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    action TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    transaction_key INTEGER,
    clock_boot INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, sequence)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    charge_point_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    action TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    transaction_key INTEGER,
    clock_boot INTEGER NOT NULL,
    reason TEXT NOT NULL,
    given_up_at INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, sequence)
) WITHOUT ROWID;

CREATE TABLE samples (
    charge_point_id TEXT NOT NULL,
    transaction_key INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    clock_boot INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (charge_point_id, transaction_key, sequence)
) WITHOUT ROWID;

CREATE TABLE meters (
    charge_point_id TEXT NOT NULL,
    connector_id INTEGER NOT NULL,
    energy INTEGER NOT NULL,
    at INTEGER NOT NULL,
    clock_boot INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, connector_id)
) WITHOUT ROWID;

CREATE TABLE clock_corrections (
    charge_point_id TEXT NOT NULL,
    boot INTEGER NOT NULL,
    shift INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, boot)
) WITHOUT ROWID;

CREATE TABLE id_tag_cache (
    charge_point_id TEXT NOT NULL,
    id_tag TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER,
    parent_id_tag TEXT,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, id_tag)
) WITHOUT ROWID;

CREATE TABLE local_list (
    charge_point_id TEXT NOT NULL,
    id_tag TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER,
    parent_id_tag TEXT,
    PRIMARY KEY (charge_point_id, id_tag)
) WITHOUT ROWID;

CREATE TABLE local_list_version (
    charge_point_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id)
) WITHOUT ROWID;

CREATE TABLE reservations (
    charge_point_id TEXT NOT NULL,
    reservation_id INTEGER NOT NULL,
    connector_id INTEGER NOT NULL,
    id_tag TEXT NOT NULL,
    parent_id_tag TEXT,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (charge_point_id, reservation_id)
) WITHOUT ROWID;

CREATE TABLE charging_profiles (
    charge_point_id TEXT NOT NULL,
    charging_profile_id INTEGER NOT NULL,
    connector_id INTEGER NOT NULL,
    profile TEXT NOT NULL,
    transaction_key INTEGER,
    PRIMARY KEY (charge_point_id, charging_profile_id)
) WITHOUT ROWID;

CREATE TABLE jobs (
    charge_point_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (charge_point_id, kind)
) WITHOUT ROWID;
