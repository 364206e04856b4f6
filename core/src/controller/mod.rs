//! The state machine of one worker controller instance.

/// x
pub struct Controller;
