-- Back to an empty database.

DROP TABLE settings;
DROP TABLE availability;
DROP TABLE transactions;
DROP TABLE message_queue;
DROP TABLE dead_letters;
DROP TABLE samples;
DROP TABLE meters;
DROP TABLE clock_corrections;
DROP TABLE id_tag_cache;
DROP TABLE local_list;
DROP TABLE local_list_version;
DROP TABLE reservations;
DROP TABLE charging_profiles;
DROP TABLE jobs;
