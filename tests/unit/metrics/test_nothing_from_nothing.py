"""No label, number or confidence rests on nothing.

``NEEDS`` is the oracle: which services a value can come from, by what the value means (docs/analyses.md). It is held
against what is computed both ways: of a video in which every service finds enough, a field is known exactly when its
services ran; of poorer forms it is known only then.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from rumiai.contracts.blocks import GENERIC_BLOCKS
from rumiai.contracts.results import ServiceStatus
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES
from rumiai.timeline.markers import compute_markers

from ..metrics_rich import DURATION_S, SERVICES, rich
from ..metrics_videos import Written, analysis, computed

_SHORT = {"scene_detection": "scenes", "audio_energy": "audio", "emotion_detection": "emotion"}
# Analysis -> services, as alternatives of what is needed together -> fields, by block. "always": of the metadata, or a
# statement about the data itself; "never": nothing measures it.
NEEDS: dict[str, dict[str, str]] = {
    "creative_density": {
        "mediapipe | ocr | scenes | yolo": """
            CoreMetrics: avgDensity maxDensity minDensity stdDeviation Dynamics: densityCurve volatility
            accelerationPattern densityProgression KeyEvents: peakMoments densityShifts Patterns: structuralFlags
            pacingStyle mlTags precompute: density_pattern_flags patterns_identified density_pattern
            timeline_frame_counts""",
        "mediapipe&ocr&scenes&yolo": """
            CoreMetrics: totalElements elementsPerSecond timelineCoverage Dynamics: emptySeconds KeyEvents:
            deadZones Patterns: densityClassification cognitiveLoadCategory precompute: creative_density_score""",
        "always": """
            CoreMetrics: elementCounts confidence Dynamics: confidence Interactions: confidence KeyEvents:
            confidence Patterns: confidence Quality: dataCompleteness detectionReliability missingServices
            overallConfidence precompute: duration_seconds""",
        "scenes": "CoreMetrics: sceneChangeCount",
        # Three types of element: two of ocr, one of the scenes, the objects and the expressions, two of mediapipe.
        "emotion&ocr | mediapipe&ocr | mediapipe&scenes | mediapipe&yolo | ocr&scenes | ocr&yolo | "
        "emotion&scenes&yolo": """
            Interactions: multiModalPeaks coordinationScore""",
        "mediapipe | ocr | emotion&scenes | emotion&yolo | scenes&yolo": """
            Interactions: elementCooccurrence dominantCombination""",
    },
    "emotional_journey": {
        "emotion | mediapipe": """
            CoreMetrics: uniqueEmotions emotionTransitions dominantEmotion emotionalDiversity emotionalIntensity
            Dynamics: emotionProgression transitionSmoothness emotionalArc peakEmotionMoments stabilityScore
            Interactions: captionEmotionAlignment emotionalContrastMoments KeyEvents: emotionalPeaks
            transitionPoints climaxMoment resolutionMoment Patterns: journeyArchetype emotionalTechniques
            pacingStrategy engagementHooks viewerJourneyMap Quality: detectionConfidence timelineCoverage
            analysisReliability precompute: analysis_parameters emotion_sequence emotion_valence emotion_timestamps
            emotion_variability emotional_peaks emotional_trajectory emotion_change_rate emotion_changes_per_minute
            mean_valence_change emotional_consistency has_high_emotion_peak peak_intensity_count positive_ratio
            negative_ratio neutral_ratio emotion_valence_curve emotion_transition_counts emotion_transition_matrix
            emotion_transitions valence_momentum peak_rhythm dead_zones emotional_archetype archetype_flags
            emotional_ml_tags expression_detection_rate""",
        "mediapipe": """
            CoreMetrics: gestureEmotionAlignment Interactions: gestureReinforcement precompute:
            emotion_gesture_sync""",
        "audio&emotion | audio&mediapipe": """
            CoreMetrics: audioEmotionAlignment Dynamics: tempoEmotionSync Interactions: audioMoodCongruence""",
        "audio | emotion | mediapipe": "CoreMetrics: captionSentiment",
        "always": """
            CoreMetrics: confidence Dynamics: confidence Interactions: confidence KeyEvents: confidence Patterns:
            confidence Quality: emotionalDataCompleteness missingDataPoints missingServices overallConfidence""",
        "mediapipe | audio&emotion | emotion&whisper": "Interactions: multimodalCoherence",
        "emotion&whisper | mediapipe&whisper": "precompute: emotion_speech_alignment",
        "mediapipe | emotion&whisper": "precompute: cross_modal_consistency",
    },
    "speech_analysis": {
        "whisper": """
            CoreMetrics: speechPresent totalSpeechSegments speechDuration speechRate wordsPerMinute avgConfidence
            speechClarityScore pauseCount avgPauseDuration totalWords uniqueWords vocabularyDiversity speechCoverage
            silenceRatio speechDensity avgSegmentDuration firstWordTimestamp lastWordTimestamp fillerWordRatio
            directAddressCount questionCount language Dynamics: speechPacingCurve pacingVariation speechRhythm
            pausePattern wpmProgression silencePeriods speechBursts burstPattern speechFrontLoadRatio
            accelerationScore Interactions: conversationalDynamics KeyEvents: keyPhrases silentMoments
            transitionPhrases longestSegment hookPhrases ctaPhrases mumblingSections Patterns: deliveryStyle
            speechTechniques toneCategory linguisticComplexity engagementStrategy repetitionRate verbalHooks
            openingHookStrength Quality: transcriptionConfidence clarityByWindow precompute: speech_type mattr_50
            longest_segment longest_segment_time longest_segment_words shortest_segment avg_words_per_segment
            wpm_by_segment speech_rhythm_type rhythm_consistency_score pause_analysis hook_density_per_10s
            cta_density_per_10s cta_clustering inclusive_language_ratio repetition_patterns speech_visual_alignment
            speech_pattern_tags hook_effectiveness_score cta_effectiveness_score delivery_confidence_score
            authenticity_score verbal_engagement_score""",
        "never": """
            CoreMetrics: uniqueSpeakers primarySpeakerDominance precompute: speaker_changes
            dominant_speaker_ratio""",
        "always": """
            CoreMetrics: confidence Dynamics: hasAudioEnergy confidence Interactions: confidence KeyEvents:
            confidence Patterns: confidence Quality: speechDataCompleteness analysisLimitations missingServices
            overallConfidence""",
        "audio&whisper": """
            Dynamics: emphasisMoments KeyEvents: speechClimax climaxMoment precompute: energy_level_windows
            climax_timestamp""",
        "audio": "Dynamics: energyVariance Quality: audioQuality backgroundNoiseRatio",
        "mediapipe&whisper": """
            Interactions: speechGestureSync faceOnScreenDuringSpeech multimodalEmphasis KeyEvents:
            offCameraSpeechSegments precompute: speech_only_ratio visual_punctuation_count
            visual_verbal_harmony_score""",
        "emotion&whisper | mediapipe&whisper": """
            Interactions: speechExpressionAlignment speechEmotionAlignment precompute:
            expression_variety_during_speech""",
        "ocr&whisper": "Interactions: speechTextOverlap",
        "mediapipe&whisper | emotion&ocr&whisper": "Interactions: verbalVisualCoherence multiModalCoherence",
    },
    "visual_overlay_analysis": {
        "ocr": """
            CoreMetrics: totalTextOverlays uniqueTexts uniqueOverlayCount avgTextsPerSecond timeToFirstText
            timeToFirstOverlay avgTextDisplayDuration avgOverlayDuration totalStickers uniqueStickers
            textStickerRatio overlayDensity visualComplexityScore avgSimultaneousTexts totalOverlays
            overlayFrequency uniqueOverlayRatio Dynamics: overlayTimeline appearancePattern densityProgression
            animationIntensity visualPacing rhythmConsistency overlayAcceleration temporalDistribution burstPatterns
            burstWindows Interactions: multiLayerComplexity readingFlowScore KeyEvents: impactfulOverlays
            overlayBursts keyTextMoments stickerHighlights ctaMoments overlayPeaks climaxMoment quietMoments
            Patterns: overlayStrategy textStyle visualTechniques productionQuality engagementArchetype
            textPositionDistribution textSemanticGroups mlTags Quality: textDetectionAccuracy stickerRecognitionRate
            readabilityIssues visualAccessibility precompute: text_repetition_ratio appearance_intervals
            clutter_timeline peak_overlay_moments overlay_free_duration breathing_room_ratio text_categories
            primary_message_type cta_density urgency_score sticker_types front_loaded_ratio climax_timing
            overlay_acceleration_score intro_overlay_count outro_overlay_count detection_confidence
            overlay_pattern_flags readability_metrics occlusion_events dominant_text_changes text_size_variance
            scene_text_count scene_texts unknown_text_count unknown_texts""",
        "always": """
            CoreMetrics: confidence Dynamics: confidence Interactions: confidence KeyEvents: confidence Patterns:
            confidence Quality: overlayDataCompleteness missingDataPoints missingServices overallConfidence""",
        "ocr&whisper": """
            Interactions: textSpeechSync overlaySpeechAlignment Patterns: communicationApproach precompute:
            text_speech_alignment""",
        "mediapipe&ocr": """
            Interactions: overlayGestureCoordination ctaReinforcementMatrix precompute:
            text_gesture_coordination""",
        "audio&ocr | mediapipe&ocr | ocr&scenes": "Interactions: visualEmphasisAlignment",
        "mediapipe&ocr&whisper": "Interactions: multimodalReinforcementCount multimodalMoments crossModalCoherence",
        "mediapipe&ocr | ocr&whisper": "precompute: reinforced_moments",
    },
    "metadata_analysis": {
        "always": """
            CoreMetrics: captionLength wordCount captionWordCount hashtagCount emojiCount mentionCount linkPresent
            videoDuration publishHour publishDayOfWeek viewCount likeCount commentCount shareCount saveCount
            engagementRate engagementRateWithSaves confidence Dynamics: hashtagStrategy captionStyle emojiDensity
            mentionDensity readabilityScore sentimentPolarity sentimentCategory urgencyLevel viralPotentialScore
            languageCode confidence Interactions: hashtagCounts engagementAlignment creatorContext musicContext
            confidence KeyEvents: hashtags emojis hooks callToActions keyMentions primaryEmojis hasHook callToAction
            confidence Patterns: linguisticMarkers hashtagPatterns hashtagBreakdown ctaFeatures hasQuestion
            hasExclamation contentCategory captionTechniques keywords confidence Quality: captionPresent
            hashtagsPresent statsAvailable publishTimeAvailable creatorDataAvailable captionQuality dataCompleteness
            missingServices overallConfidence precompute: caption_text hashtag_list emoji_list mention_list
            creator_nickname music_id entity_recognition""",
        "ocr&whisper": "Interactions: contentAlignment",
        "ocr | whisper": "Quality: hashtagQuality",
    },
    "person_framing": {
        "mediapipe": """
            CoreMetrics: personPresenceRate dominantFraming framingChanges gestureClarity faceVisibilityRate
            bodyVisibilityRate averageFaceSize eyeContactRate primarySubject subjectCount framingConsistency
            Dynamics: framingProgression stabilityTimeline framingTransitions gazeSteadiness distanceVariation
            Interactions: gestureFramingSync expressionVisibility multiPersonCoordination framingPurposeAlignment
            socialDistance KeyEvents: framingHighlights criticalFramingMoments optimalFramingPeriods closeUpMoments
            groupShots framingChanges Patterns: framingStrategy visualNarrative engagementTechniques
            framingDistribution framingArchetype patternTags precompute: intro_shot_type framing_volatility
            shot_changes_per_minute shot_transitions subject_absence_count absence_seconds absence_segments
            longest_absence_duration prolonged_absences gaze_analysis eyeContactScreenRate action_recognition
            video_intent intent_alignment_risk intent_alignment_risk_level temporal_evolution ml_tags
            detection_coverage intro_person_present framing_timeline compositionRule""",
        "mediapipe&yolo": """
            CoreMetrics: avgPersonCount maxSimultaneousPeople personScreenCoverage Interactions:
            actionSpaceUtilization""",
        "mediapipe&scenes": """
            CoreMetrics: positionStability overallFramingQuality Dynamics: movementPattern zoomTrend Patterns:
            technicalExecution productionValue Quality: trackingConsistency""",
        "always": """
            CoreMetrics: confidence Dynamics: confidence Interactions: confidence KeyEvents: confidence Patterns:
            confidence Quality: framingDataCompleteness analysisLimitations missingServices overallConfidence""",
        "mediapipe&whisper": "Interactions: speakerFraming",
        "mediapipe | yolo": "Quality: detectionReliability",
        "never": "precompute: background_analysis",
    },
    "scene_pacing": {
        "scenes": """
            CoreMetrics: totalScenes sceneChangeRate avgSceneDuration averageSceneDuration minSceneDuration
            maxSceneDuration sceneDurationVariance quickCutsCount longTakesCount sceneRhythmScore pacingConsistency
            scenesPerMinute pacingClassification Dynamics: pacingCurve accelerationPattern rhythmRegularity
            pacingMomentum dynamicRange accelerationScore introPacing outroPacing accelerationPoints
            decelerationPoints Interactions: narrativeFlowScore viewerAdaptationCurve pacingContrastMoments
            KeyEvents: pacingPeaks pacingValleys criticalTransitions rhythmBreaks longestScene shortestScene
            montageSegments climaxTiming Patterns: pacingStyle editingRhythm visualTempo cutMotivation
            pacingTechniques editingStyle pacingTags transitionTypes Quality: sceneDetectionAccuracy
            transitionAnalysisReliability technicalQuality precompute: shots_per_minute cut_frequency
            rhythm_consistency rhythm_variability acceleration_trend tempo_balance pacing_curve cut_density_zones
            peak_cut_moments montage_segments shot_distribution shortScenesCount classified_patterns ml_tags
            acceleration_phases peak_pacing_moments energy_curve cut_detection_confidence object_data_available
            camera_data_available scene_detection_rate""",
        "always": """
            CoreMetrics: videoDuration confidence Dynamics: confidence Interactions: confidence KeyEvents:
            confidence Patterns: confidence Quality: pacingDataCompleteness analysisLimitations missingServices
            overallConfidence""",
        "emotion&scenes | mediapipe&scenes | ocr&scenes | scenes&yolo": "Interactions: contentPacingAlignment",
        "emotion&scenes | mediapipe&scenes": "Interactions: emotionalPacingSync",
        "audio&scenes": "Interactions: audioVisualSync beatMatching",
        "scenes&yolo": "Interactions: objectDensityPacing precompute: visual_load_per_scene complexity_changes",
        "mediapipe&scenes": "precompute: shot_type_changes shot_camera_alignment camera_movement_cuts",
    },
}


# Also of the services named, yet not of every video: a rule that does not fit, a word that says that nothing is there,
# an intent (educational, since shots of this size are medium) that no rule of framing goes with.
BY_VIDEO = {
    "technicalQuality",
    "speech_type",
    "intent_alignment_risk",
    "intent_alignment_risk_level",
    "framingPurposeAlignment",
}


def needs_of(name: str) -> dict[tuple[str, str], list[frozenset[str]] | None]:
    """(block, field) -> sets of services of which one must be there; None: always."""
    found: dict[tuple[str, str], list[frozenset[str]] | None] = {}
    for services, fields in NEEDS[name].items():
        sets = [] if services == "never" else [frozenset(option.split("&")) for option in services.split(" | ")]
        block = ""
        for word in fields.split():
            if word.endswith(":"):
                block = word[:-1]
            else:
                found[block, word] = None if services == "always" else sets
    return found


def fields_of(found: Written) -> dict[tuple[str, str], Any]:
    parts = [*found.blocks.items(), ("precompute", found.precompute)]
    return {(block, field): value for block, fields in parts for field, value in fields.items()}


@cache
def rich_video() -> UnifiedAnalysis:
    return analysis(**rich())


def with_services(video: UnifiedAnalysis, names: frozenset[str]) -> UnifiedAnalysis:
    """The same video on which only these ran."""
    return replace(
        video,
        ml_data={name: data for name, data in video.ml_data.items() if name in names},
        pipeline_details={name: ServiceStatus(name in names, None if name in names else "off") for name in SERVICES},
    )


def short(names: frozenset[str]) -> frozenset[str]:
    return frozenset(_SHORT.get(name, name) for name in names)


def wrong_fields(video: UnifiedAnalysis, there: frozenset[str], *, both_ways: bool) -> list[str]:
    """Fields that are known without their services, and with ``both_ways`` those that are unknown with them."""
    evidence, wrong = read_evidence(video), []
    for name in ANALYSES:
        needs, found = needs_of(name), fields_of(computed(name, evidence))
        for key in {*found, *(key for key in needs if key[0] != "precompute")}:
            assert key in needs, f"{name} {key}: the table does not say what it needs"
            options, value = needs[key], found.get(key)
            may = options is None or any(option <= there for option in options)
            if (value is not None and not may) or (both_ways and value is None and may and key[1] not in BY_VIDEO):
                wrong.append(f"{name} {'.'.join(key)}: got {value!r} with {sorted(there)}")
    return wrong


ALL = frozenset(SERVICES)
SUBSETS = [frozenset(chosen) for size in range(len(SERVICES) + 1) for chosen in itertools.combinations(SERVICES, size)]


@pytest.mark.parametrize("size", range(len(SERVICES) + 1))
def test_a_field_is_known_exactly_when_its_services_ran(size):
    for names in (chosen for chosen in SUBSETS if len(chosen) == size):
        wrong = wrong_fields(with_services(rich_video(), names), short(names), both_ways=True)
        assert not wrong, "\n".join(wrong)


# What each part of the temporal markers needs, as alternatives.
MARKERS = {
    "first_5_seconds": {
        "density_progression": ALL - {"audio_energy"}, "text_moments": {"ocr"}, "gesture_moments": {"mediapipe"},
        "emotion_sequence": {"emotion_detection", "mediapipe", "whisper"}, "object_appearances": {"yolo"},
        "speech_segments": {"whisper"}, "scene_changes": {"scene_detection"},
    },
    "cta_window": {
        "cta_appearances": {"ocr", "whisper"}, "object_focus": {"yolo"}, "text_overlays": {"ocr"},
        "gesture_sync": {"mediapipe", "whisper"}, "speech_emphasis": {"whisper"},
    },
}  # fmt: skip


def told(value: Any) -> bool:
    """Whether a part of the markers says anything."""
    if isinstance(value, dict):
        return any(item is not None for item in value.values())
    return value is not None and (not value or any(item is not None for item in value))


@pytest.mark.parametrize("size", range(len(SERVICES) + 1))
def test_markers_are_known_exactly_when_their_services_ran(size):
    for names in (chosen for chosen in SUBSETS if len(chosen) == size):
        video = with_services(rich_video(), names)
        spans = {name: looked for name, looked in video.timeline.observed.items() if name in names}
        markers = compute_markers(replace(video, timeline=replace(video.timeline, entries=(), observed=spans)))
        for window, parts in MARKERS.items():
            for part, services in parts.items():
                assert told(markers[window][part]) == bool(services & names), (window, part, sorted(names))
        any_element = bool(names - {"audio_energy"})
        assert (markers["peak_moments"] is not None) == any_element
        counted = bool(names & {"ocr", "scene_detection", "whisper", "yolo"})
        assert set(markers["engagement_curve"]) == ({0.0} if counted else {None})


def test_a_block_that_says_nothing_has_no_confidence():
    for names in SUBSETS[:30]:
        evidence = read_evidence(with_services(rich_video(), names))
        for name in ANALYSES:
            for block in GENERIC_BLOCKS[:5]:
                content = dict(computed(name, evidence).blocks[block])
                confidence = content.pop("confidence")
                counts = content.pop("elementCounts", None) or {}
                known = [
                    v for k, v in content.items() if v is not None and k not in ("videoDuration", "hasAudioEnergy")
                ]
                assert confidence == 0.0 or known or any(value is not None for value in counts.values()), (name, block)


EMPTY: dict[str, dict[str, Any]] = {
    "yolo": {"detections": ()}, "ocr": {"texts": (), "stickers": ()}, "whisper": {"segments": ()},
    "mediapipe": {"faces": (), "poses": (), "gaze": (), "gestures": (), "expressions": (), "actions": None},
    "emotion_detection": {"emotions": ()}, "scene_detection": {"cuts": (), "types": ()},
    "audio_energy": {"audio": {"energy_level_windows": {}, "energy_variance": None, "climax_timestamp": None,
                               "burst_pattern": "none", "metadata": {"processed": True, "has_audio": False}}},
}  # fmt: skip


def looked_at_nothing(video: UnifiedAnalysis, name: str) -> UnifiedAnalysis:
    """The same video with a service that found nothing, since it looked at nothing."""
    return replace(video, ml_data={**video.ml_data, name: video.ml_data[name].observing(())})


@pytest.mark.parametrize("name", SERVICES)
def test_what_found_nothing_or_looked_at_nothing_gives_nothing_from_nothing(name):
    nothing_found = analysis(**rich(**EMPTY[name]))
    for video, there in (
        (nothing_found, ALL),
        (with_services(nothing_found, frozenset({name})), frozenset({name})),
        (looked_at_nothing(nothing_found, name), ALL - {name}),
        (with_services(looked_at_nothing(nothing_found, name), frozenset({name})), frozenset()),
        (analysis(**rich(missing=[name])), ALL - {name}),
    ):
        wrong = wrong_fields(video, short(there), both_ways=False)
        assert not wrong, "\n".join(wrong)


def test_words_of_a_video_in_which_nothing_is_found_are_those_that_say_so():
    empty = {key: value for changes in EMPTY.values() for key, value in changes.items()}
    evidence = read_evidence(analysis(**rich(**{**empty, "metadata": None})))
    words = {
        field: value
        for name in ANALYSES
        for (_, field), value in fields_of(computed(name, evidence)).items()
        if isinstance(value, str)
    }
    assert words == {
        # Every type of element was looked for, and there is none.
        "densityClassification": "sparse", "cognitiveLoadCategory": "minimal", "dominantCombination": "none",
        # Nobody is seen, nobody speaks.
        "dominantFraming": "none", "primarySubject": "none", "intro_shot_type": "none", "deliveryStyle": "none",
        "conversationalDynamics": "none", "speech_type": "none", "language": "en",
        # One scene of a minute.
        "pacingClassification": "slow", "visualTempo": "slow",
    }  # fmt: skip


def test_an_empty_result_raises_no_confidence():
    whole = read_evidence(rich_video()).services
    for name in SERVICES:
        poor = read_evidence(analysis(**rich(**EMPTY[name]))).services
        service = _SHORT.get(name, name)
        assert poor.q(service) <= whole.q(service)


def test_a_video_without_any_service_is_a_page_of_nulls_with_reasons():
    evidence = read_evidence(with_services(rich_video(), frozenset()))
    assert evidence.duration_s == DURATION_S
    for name in (name for name in ANALYSES if name != "metadata_analysis"):
        found = computed(name, evidence)
        known = {key: value for key, value in fields_of(found).items() if value is not None and key[0] != "Quality"}
        said = {field for _, field in known} - {"confidence", "elementCounts", "videoDuration", "hasAudioEnergy"}
        assert said <= {"duration_seconds"}, name
        assert {value for (_, field), value in known.items() if field == "confidence"} == {0.0}
        reasons = {item["service"]: item["reason"] for item in found.blocks["Quality"]["missingServices"]}
        assert reasons.pop("effect", "no detector") == "no detector"
        assert set(reasons.values()) == {"off"}
