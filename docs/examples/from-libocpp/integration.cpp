// What is to be ported: one socket, a board that tells events from its own thread, and libocpp. For reading.

class Integration {
    std::unique_ptr<ocpp::v16::ChargePoint> charge_point;
    Board& board;

public:
    Integration(Board& board, ocpp::v16::ChargePointConfigurationInterface& config) : board(board) {
        charge_point = std::make_unique<ocpp::v16::ChargePoint>(
            config, "/usr/share/ocpp", "/var/lib/ocpp", "/usr/share/ocpp/core_migrations", "/var/log/ocpp",
            nullptr, security_configuration());

        charge_point->register_enable_evse_callback([this](int32_t connector) {
            this->board.enable();
            this->charge_point->on_enabled(connector);
            return true;
        });
        charge_point->register_disable_evse_callback([this](int32_t connector) {
            this->board.disable();
            this->charge_point->on_disabled(connector);
            return true;
        });
        charge_point->register_pause_charging_callback([this](int32_t) { this->board.pause(); return true; });
        charge_point->register_stop_transaction_callback([this](int32_t, ocpp::v16::Reason reason) {
            this->board.stop(reason);
            return true;
        });
        charge_point->register_unlock_connector_callback([this](int32_t) { return this->board.unlock(); });
        charge_point->register_provide_token_callback(
            [this](const std::string& id_tag, std::vector<int32_t>, bool prevalidated) {
                this->board.card(id_tag, prevalidated);
            });
        charge_point->register_is_reset_allowed_callback([this](ocpp::v16::ResetType) { return !this->board.is_busy(); });
        charge_point->register_reset_callback([](ocpp::v16::ResetType) { restart_process(); });
        charge_point->register_set_system_time_callback([](const std::string&) {});
        charge_point->register_set_connection_timeout_callback([this](int32_t seconds) { this->board.wait_for(seconds); });
        charge_point->register_signal_set_charging_profiles_callback([this] { this->new_limit(); });
        charge_point->register_connection_state_changed_callback([](bool is_connected) { led(is_connected); });

        board.on_event = [this](const Event& event) { this->told(event); };
        board.on_meter = [this](const Powermeter& values) {
            this->charge_point->on_meter_values(1, ocpp::Measurement{values});
        };
        charge_point->start();
    }

    void told(const Event& event) {  // in the thread of the board
        switch (event.kind) {
        case Kind::SessionStarted:
            charge_point->on_session_started(1, event.session_id, event.reason, std::nullopt);
            break;
        case Kind::CardShown:
            board.authorized(event.card, charge_point->authorize_id_token(event.card).id_tag_info.status
                                             == ocpp::v16::AuthorizationStatus::Accepted);
            break;
        case Kind::TransactionStarted:
            charge_point->on_transaction_started(1, event.session_id, event.card, event.energy, std::nullopt,
                                                 event.time, std::nullopt);
            break;
        case Kind::Charging:
            charge_point->on_resume_charging(1);
            break;
        case Kind::PausedByStation:
            charge_point->on_suspend_charging_evse(1);
            break;
        case Kind::TransactionStopped:
            charge_point->on_transaction_stopped(1, event.session_id, event.stop_reason, event.time, event.energy,
                                                 event.card, std::nullopt);
            break;
        case Kind::SessionStopped:
            charge_point->on_session_stopped(1, event.session_id);
            break;
        }
    }

    void new_limit() {  // also from a timer each 10 s, for a schedule has steps
        const auto schedules = charge_point->get_all_composite_charging_schedules(600, ocpp::v16::ChargingRateUnit::A);
        board.limit(schedules.at(1).chargingSchedulePeriod.at(0).limit);
    }
};
